package weburl

import "strings"

// Part is a component that can be set.
type Part int

// The parts, as the attributes of the interface URL are called. Search and Hash
// may begin with their mark.
const (
	Protocol Part = iota
	Username
	Password
	Host // with a port
	Hostname
	Port
	Pathname
	Search
	Hash
)

// Set sets a part (section 6.1). It leaves u as it is, or as far as the
// standard has it changed, and returns an error, when the value does not fit.
func (u *URL) Set(part Part, value string) error {
	p := parser{URL: *u, path: []byte(u.Path), rest: removeBreaks(value), setter: true}
	err := p.set(part, value)
	p.Path = string(p.path)
	*u = p.URL
	return err
}

func (p *parser) set(part Part, value string) error {
	switch part {
	case Protocol:
		return p.resetScheme()
	case Username, Password, Port:
		if p.fixed() {
			return errUnchanged
		}
		return p.resetAuthority(part, value)
	case Host, Hostname:
		if p.Opaque {
			return errUnchanged
		}
		return p.resetHost(part)
	case Pathname:
		if p.Opaque {
			return errUnchanged
		}
		p.path = nil
		p.readPathStart()
	case Search:
		if p.Query, p.HasQuery = "", false; value != "" {
			p.setQuery(strings.TrimPrefix(removeBreaks(value), "?"))
		}
	case Hash:
		if p.Fragment, p.HasFragment = "", false; value != "" {
			p.setFragment(strings.TrimPrefix(removeBreaks(value), "#"))
		}
	}
	return nil
}

func (p *parser) resetScheme() error {
	s, _, ok := scheme(p.rest + ":")
	if !ok {
		return errUnchanged
	}
	port, special := isSpecial(s)
	if special != p.special() || s == "file" && (p.hasCredentials() || p.Port >= 0) || p.Scheme == "file" && p.Host == "" {
		return errUnchanged
	}
	p.Scheme = s
	if p.Port == port {
		p.Port = -1
	}
	return nil
}

func (p *parser) resetAuthority(part Part, value string) error {
	switch {
	case part == Username:
		p.Username = encode(value, setUserinfo)
	case part == Password:
		p.Password = encode(value, setUserinfo)
	case value == "":
		p.Port = -1
	default:
		return p.readPort()
	}
	return nil
}

func (p *parser) resetHost(part Part) error {
	if p.Scheme == "file" {
		return p.setFileHost(p.rest[:p.authorityEnd()])
	}
	if part == Hostname && p.hostEnd() < p.authorityEnd() {
		return errUnchanged
	}
	if err := p.readHost(); err != nil {
		return err
	}
	if p.skip(':') {
		return p.readPort()
	}
	return nil
}
