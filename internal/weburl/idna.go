package weburl

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// profile is Unicode ToASCII with the standard's parameters (UTS 46), of
// Unicode 15.0.
var profile = idna.New(
	idna.MapForLookup(), idna.BidiRule(), idna.CheckJoiners(true),
	idna.CheckHyphens(false), idna.StrictDomainName(false), idna.Transitional(false), idna.VerifyDNSLength(false),
)

func toASCII(s string) (string, error) { return profile.ToASCII(strings.Map(remap, s)) }

// remap maps the characters whose mapping is another one since Unicode 15.1.
func remap(r rune) rune {
	switch {
	case r == 'ẞ', r == 'Ӏ', r == 'Ⅎ', r == 'Ↄ', 0x10a0 <= r && r <= 0x10cd:
		return unicode.ToLower(r)
	case r == 0x115f, r == 0x1160, r == 0x17b4, r == 0x17b5, r == 0x180e, r == 0x3164, r == 0xffa0, 0x206a <= r && r <= 0x206f:
		return -1 // ignored
	}
	switch r {
	case 0x2f868:
		return 0x36fc
	case 0x2f874:
		return 0x5f53
	case 0x2f91f:
		return 0x243ab
	case 0x2f95f:
		return 0x7aee
	case 0x2f9bf:
		return 0x45d7
	}
	return r
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}
