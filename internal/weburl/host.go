package weburl

import (
	"errors"
	"strings"
	"unicode/utf8"
)

var (
	errBrackets  = errors.New("the IPv6 address does not end in a bracket")
	errForbidden = errors.New("the host has a character that none may have")
	errDomain    = errors.New("the domain is not valid")
)

const (
	forbiddenHost   = "\x00\t\n\r #/:<>?@[\\]^|"
	forbiddenDomain = forbiddenHost + "%\x7f"
)

// parseHost is the host parser (section 3.5). An opaque host is that of a URL
// that is not special.
func parseHost(s string, opaque bool) (string, error) {
	if strings.HasPrefix(s, "[") {
		if !strings.HasSuffix(s, "]") {
			return "", errBrackets
		}
		return parseIPv6(s[1 : len(s)-1])
	}
	if opaque {
		if strings.ContainsAny(s, forbiddenHost) {
			return "", errForbidden
		}
		return encode(s, setControl), nil
	}
	domain, err := parseDomain(decode(s))
	if err != nil {
		return "", err
	}
	if endsInNumber(domain) {
		return parseIPv4(domain)
	}
	return domain, nil
}

// parseDomain is the domain parser (section 3.3), not strict.
func parseDomain(s string) (string, error) {
	if isASCII(s) {
		s = strings.ToLower(s)
	} else {
		if !utf8.ValidString(s) {
			return "", errDomain
		}
		var err error
		if s, err = toASCII(s); err != nil {
			return "", errDomain
		}
	}
	switch {
	case s == "":
		return "", errDomain
	case strings.ContainsAny(s, forbiddenDomain) || strings.IndexFunc(s, func(r rune) bool { return r < ' ' }) >= 0:
		return "", errForbidden
	}
	return s, nil
}
