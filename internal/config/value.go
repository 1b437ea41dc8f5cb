package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// Size is a number of bytes, written as a whole number with an optional K, M
// or G for powers of 1024: 64M.
type Size int64

const units = "KMG"

// ParseSize reads a Size.
func ParseSize(s string) (Size, error) {
	digits, shift := s, 0
	if n := len(s); n > 0 {
		if i := strings.IndexByte(units, s[n-1]); i >= 0 {
			digits, shift = s[:n-1], 10*(i+1)
		}
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || digits[0] == '+' || n > math.MaxInt64>>shift {
		return 0, fmt.Errorf("size %.40q is not a number of bytes such as 67108864, 65536K, 64M or 1G", s)
	}
	return Size(n << shift), nil
}

// String gives the size with the largest unit that divides it.
func (s Size) String() string {
	n, unit := int64(s), ""
	for i := 0; i < len(units) && n != 0 && n%1024 == 0; i++ {
		n, unit = n/1024, units[i:i+1]
	}
	return strconv.FormatInt(n, 10) + unit
}

// UnmarshalText reads the form of ParseSize.
func (s *Size) UnmarshalText(b []byte) (err error) {
	*s, err = ParseSize(string(b))
	return err
}

// MarshalText gives the form of String.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Set, with String and Type, makes a Size usable as a flag.
func (s *Size) Set(text string) error { return s.UnmarshalText([]byte(text)) }

// Type names the flag's value in help texts.
func (s *Size) Type() string { return "size" }

// Duration is a time.Duration written as Go does: 5s, 250ms. It is a struct so
// that a bare number, which would be nanoseconds, is a wrong type in TOML.
type Duration struct{ time.Duration }

// UnmarshalText reads what time.ParseDuration takes.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("duration %.40q is not a number with a unit such as 500ms, 5s or 2m", b)
	}
	d.Duration = v
	return nil
}

// MarshalText gives the form of time.Duration.String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func joinKey(k toml.Key) string { return strings.Join(k, ".") }
