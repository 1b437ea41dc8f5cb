package weburl

import "strings"

// file is the file state: what follows the scheme, or stands for it.
func (p *parser) file() error {
	p.Scheme, p.HasHost = "file", true
	base := p.base
	if base != nil && base.Scheme != "file" {
		base = nil
	}
	switch {
	case p.slash():
		if p.slash() {
			return p.fileHost()
		}
		p.fileSlash(base)
		p.readPath()
	case base == nil:
		p.readPath()
	default:
		p.Host = base.Host
		p.takePath(!startsWithDriveLetter(p.rest))
	}
	return nil
}

// fileSlash takes over the base's host and drive.
func (p *parser) fileSlash(base *URL) {
	if base == nil {
		return
	}
	p.Host = base.Host
	if len(base.Path) >= 3 && isDrive(base.Path[1:3]) && (len(base.Path) == 3 || base.Path[3] == '/') && !startsWithDriveLetter(p.rest) {
		p.path = append(p.path, base.Path[:3]...)
	}
}

func (p *parser) fileHost() error {
	end := p.authorityEnd()
	s := p.rest[:end]
	if !p.setter && isDriveLetter(s) {
		p.readPath()
		return nil
	}
	p.rest = p.rest[end:]
	if err := p.setFileHost(s); err != nil {
		return err
	}
	p.readPathStart()
	return nil
}

func (p *parser) setFileHost(s string) error {
	p.HasHost = true
	if s == "" {
		p.Host = ""
		return nil
	}
	if err := p.setHost(s); err != nil {
		return err
	}
	if strings.EqualFold(p.Host, "localhost") {
		p.Host = ""
	}
	return nil
}
