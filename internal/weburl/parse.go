package weburl

import (
	"errors"
	"strings"
)

var (
	errNoBase    = errors.New("it is relative, and there is no base")
	errBase      = errors.New("it is relative, and the base has an opaque path")
	errNoHost    = errors.New("the host is missing")
	errPort      = errors.New("the port is not a number from 0 to 65535")
	errUnchanged = errors.New("the value does not fit the URL")
)

// parser is the basic URL parser (section 4.4). Each state of the standard's is
// a method that reads from rest what belongs to it.
type parser struct {
	URL
	path   []byte // what becomes Path
	rest   string // of the input
	base   *URL
	setter bool // one component is set: the standard's "state override"
}

// Parse parses a URL, which may be relative to base, unless that is nil.
func Parse(input string, base *URL) (*URL, error) {
	input = strings.TrimFunc(input, func(r rune) bool { return r <= ' ' })
	p := parser{URL: URL{Port: -1}, rest: removeBreaks(input), base: base}
	if err := p.parse(); err != nil {
		return nil, err
	}
	p.Path = string(p.path)
	return &p.URL, nil
}

func removeBreaks(s string) string {
	if !strings.ContainsAny(s, "\t\n\r") {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r == '\r' {
			return -1
		}
		return r
	}, s)
}

// peek is the next byte, or 0 at the end, which no state takes for another.
func (p *parser) peek() byte {
	if p.rest == "" {
		return 0
	}
	return p.rest[0]
}

// skip passes a byte if it is the next.
func (p *parser) skip(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// slash passes a slash, or what a special URL has for one.
func (p *parser) slash() bool { return p.skip('/') || p.special() && p.skip('\\') }

func (p *parser) skipSlashes() {
	for p.skip('/') || p.skip('\\') {
	}
}

// scheme reads a scheme and its colon.
func scheme(s string) (scheme, rest string, ok bool) {
	if s == "" || !isLetter(s[0]) {
		return "", s, false
	}
	for i, c := range []byte(s) {
		switch {
		case c == ':':
			return strings.ToLower(s[:i]), s[i+1:], true
		case !isLetter(c) && !isDigit(c) && c != '+' && c != '-' && c != '.':
			return "", s, false
		}
	}
	return "", s, false
}

func (p *parser) parse() error {
	s, rest, ok := scheme(p.rest)
	if !ok {
		return p.relativeToBase()
	}
	p.Scheme, p.rest = s, rest
	switch {
	case s == "file":
		return p.file()
	case p.special() && p.base != nil && p.base.Scheme == s && !strings.HasPrefix(rest, "//"):
		return p.relative()
	case p.special():
		p.skipSlashes()
		return p.authority()
	case p.skip('/'):
		if p.skip('/') {
			return p.authority()
		}
		p.readPath()
	default:
		p.readOpaque()
	}
	return nil
}

// relativeToBase is the no scheme state.
func (p *parser) relativeToBase() error {
	switch {
	case p.base == nil:
		return errNoBase
	case p.base.Opaque && p.peek() != '#':
		return errBase
	}
	p.Scheme = p.base.Scheme
	if p.base.Opaque {
		p.Opaque, p.path = true, []byte(p.base.Path)
		p.Query, p.HasQuery = p.base.Query, p.base.HasQuery
		p.readTail()
		return nil
	}
	if p.Scheme == "file" {
		return p.file()
	}
	return p.relative()
}

func (p *parser) relative() error {
	if p.slash() {
		switch {
		case p.special() && p.slash():
			p.skipSlashes()
			return p.authority()
		case p.skip('/'):
			return p.authority()
		}
		p.takeAuthority()
		p.readPath()
		return nil
	}
	p.takeAuthority()
	p.takePath(true)
	return nil
}

func (p *parser) takeAuthority() {
	p.Username, p.Password = p.base.Username, p.base.Password
	p.Host, p.HasHost, p.Port = p.base.Host, p.base.HasHost, p.base.Port
}

// takePath takes over the base's path and query, as far as the rest of the
// input leaves them: of the path up to the last slash, or nothing.
func (p *parser) takePath(shorten bool) {
	p.path = []byte(p.base.Path)
	switch {
	case p.rest == "" || p.peek() == '#':
		p.Query, p.HasQuery = p.base.Query, p.base.HasQuery
		fallthrough
	case p.peek() == '?':
		p.readTail()
		return
	case shorten:
		p.shorten()
	default:
		p.path = nil
	}
	p.readPath()
}
