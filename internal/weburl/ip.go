package weburl

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

var (
	errIPv4 = errors.New("the host ends in a number, and is not an IPv4 address")
	errIPv6 = errors.New("the host is not an IPv6 address")
)

// endsInNumber reports whether a domain must be an IPv4 address.
func endsInNumber(s string) bool {
	s = strings.TrimSuffix(s, ".")
	last := s[strings.LastIndexByte(s, '.')+1:]
	if last == "" {
		return false
	}
	if strings.TrimLeft(last, "0123456789") == "" {
		return true
	}
	_, ok := parseNumber(last)
	return ok
}

// parseNumber reads a part of an IPv4 address: decimal, octal or hexadecimal.
// What is too large for an address comes back as 1<<32.
func parseNumber(s string) (n uint64, ok bool) {
	base := uint64(10)
	switch {
	case s == "":
		return 0, false
	case strings.HasPrefix(s, "0x"):
		s, base = s[2:], 16
	case len(s) >= 2 && s[0] == '0':
		s, base = s[1:], 8
	}
	for _, c := range []byte(s) {
		d, ok := unhex(c)
		if !ok || uint64(d) >= base {
			return 0, false
		}
		n = min(n*base+uint64(d), 1<<32)
	}
	return n, true
}

// parseIPv4 is the IPv4 parser (section 3.5), of what endsInNumber.
func parseIPv4(s string) (string, error) {
	if strings.Count(s, ".") > 4 {
		return "", errIPv4
	}
	parts := strings.Split(strings.TrimSuffix(s, "."), ".")
	if len(parts) > 4 {
		return "", errIPv4
	}
	var address uint64
	for i, part := range parts {
		n, ok := parseNumber(part)
		last := i == len(parts)-1
		if !ok || !last && n > 255 || last && n >= 1<<(8*(5-len(parts))) {
			return "", errIPv4
		}
		if last {
			address += n
		} else {
			address += n << (8 * (3 - i))
		}
	}
	return fmt.Sprintf("%d.%d.%d.%d", byte(address>>24), byte(address>>16), byte(address>>8), byte(address)), nil
}

// parseIPv6 reads an address without its brackets. The standard's grammar is
// netip's without zones.
func parseIPv6(s string) (string, error) {
	if strings.Contains(s, "%") {
		return "", errIPv6
	}
	a, err := netip.ParseAddr(s)
	if err != nil || !a.Is6() {
		return "", errIPv6
	}
	return writeIPv6(a.As16()), nil
}

// writeIPv6 is the IPv6 serializer: netip's has dots in mapped addresses.
func writeIPv6(a [16]byte) string {
	var pieces [8]uint16
	for i := range pieces {
		pieces[i] = uint16(a[2*i])<<8 | uint16(a[2*i+1])
	}
	from, to := longestZeros(pieces)
	b := []byte{'['}
	for i := 0; i < len(pieces); i++ {
		if i == from {
			b = append(b, "::"...)
			i = to - 1
			continue
		}
		if i > 0 && i != to {
			b = append(b, ':')
		}
		b = strconv.AppendUint(b, uint64(pieces[i]), 16)
	}
	return string(append(b, ']'))
}

// longestZeros is the first longest run of at least two pieces that are 0, or
// from is -1.
func longestZeros(pieces [8]uint16) (from, to int) {
	from, to = -1, -1
	for i := 0; i < len(pieces); {
		j := i
		for j < len(pieces) && pieces[j] == 0 {
			j++
		}
		if j-i > max(1, to-from) {
			from, to = i, j
		}
		i = j + 1
	}
	return from, to
}
