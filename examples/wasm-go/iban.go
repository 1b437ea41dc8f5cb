//go:build wasip1

package main

import (
	"errors"
	"fmt"
	"strings"
)

// iban is an account number that was checked, without spaces (ISO 13616).
type iban string

// lengths are those of some countries; others have 15 to 34 characters.
var lengths = map[string]int{
	"AT": 20, "BE": 16, "CH": 21, "DE": 22, "DK": 18, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "IE": 22,
	"IT": 27, "LU": 20, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "SE": 24,
}

const shortest, longest = 15, 34

func parse(s string) (iban, error) {
	s = strings.ToUpper(strings.Join(strings.Fields(s), ""))
	if len(s) < shortest || len(s) > longest {
		return "", fmt.Errorf("an IBAN has %d to %d characters, not %d", shortest, longest, len(s))
	}
	if want, known := lengths[s[:2]]; known && len(s) != want {
		return "", fmt.Errorf("an IBAN of %s has %d characters, not %d", s[:2], want, len(s))
	}
	rest, err := remainder(s[4:] + s[:4])
	if err != nil {
		return "", err
	}
	if rest != 1 {
		return "", errors.New("the check digits do not fit")
	}
	return iban(s), nil
}

// remainder is that of a division by 97, letters counting as 10 to 35 (ISO
// 7064, MOD 97-10).
func remainder(s string) (rest int, err error) {
	for _, c := range []byte(s) {
		switch {
		case c >= '0' && c <= '9':
			rest = (rest*10 + int(c-'0')) % 97
		case c >= 'A' && c <= 'Z':
			rest = (rest*100 + int(c-'A') + 10) % 97
		default:
			return 0, fmt.Errorf("%q is neither a letter nor a digit", c)
		}
	}
	return rest, nil
}

func (n iban) country() string { return string(n[:2]) }

// String is the number in groups of four, as it is printed.
func (n iban) String() string {
	var b strings.Builder
	for i, c := range n {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return b.String()
}
