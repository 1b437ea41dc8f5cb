package weburl

import "strings"

// authorityEnd is where the authority in s ends.
func (p *parser) authorityEnd() int {
	ends := "/?#"
	if p.special() {
		ends = `/?#\`
	}
	if i := strings.IndexAny(p.rest, ends); i >= 0 {
		return i
	}
	return len(p.rest)
}

// authority reads username, password, host and port, and what follows them.
func (p *parser) authority() error {
	end := p.authorityEnd()
	if at := strings.LastIndexByte(p.rest[:end], '@'); at >= 0 {
		username, password, _ := strings.Cut(p.rest[:at], ":")
		p.Username, p.Password = encode(username, setUserinfo), encode(password, setUserinfo)
		if at+1 == end {
			return errNoHost
		}
		p.rest = p.rest[at+1:]
	}
	if err := p.readHost(); err != nil {
		return err
	}
	if p.skip(':') {
		if err := p.readPort(); err != nil {
			return err
		}
	}
	p.readPathStart()
	return nil
}

// hostEnd is where the host ends: before the port, unless that colon is in
// brackets, or with the authority.
func (p *parser) hostEnd() int {
	inside := false
	end := p.authorityEnd()
	for i, c := range []byte(p.rest[:end]) {
		switch {
		case c == '[':
			inside = true
		case c == ']':
			inside = false
		case c == ':' && !inside:
			return i
		}
	}
	return end
}

// readHost reads the host, and leaves the colon of a port.
func (p *parser) readHost() error {
	end := p.hostEnd()
	s := p.rest[:end]
	p.rest = p.rest[end:]
	if s == "" && (p.special() || p.peek() == ':') {
		return errNoHost
	}
	if s == "" && p.setter && (p.hasCredentials() || p.Port >= 0) {
		return errUnchanged
	}
	return p.setHost(s)
}

func (p *parser) setHost(s string) error {
	host, err := parseHost(s, !p.special())
	if err != nil {
		return err
	}
	p.Host, p.HasHost = host, true
	return nil
}

// readPort reads digits. What follows them is an error, or, when a port is
// set, is left.
func (p *parser) readPort() error {
	n, i := 0, 0
	for ; i < len(p.rest) && isDigit(p.rest[i]); i++ {
		if n = n*10 + int(p.rest[i]-'0'); n > 65535 {
			return errPort
		}
	}
	if i != p.authorityEnd() && !p.setter {
		return errPort
	}
	p.rest = p.rest[i:]
	if i == 0 && p.setter {
		return errUnchanged
	}
	if i > 0 {
		if p.Port = n; n == defaultPort(p.Scheme) {
			p.Port = -1
		}
	}
	return nil
}

func defaultPort(scheme string) int {
	port, _ := isSpecial(scheme)
	return port
}
