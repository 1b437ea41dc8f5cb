package weburl

import (
	"bytes"
	"strings"
)

// readPathStart reads a path that may be missing, and what follows it.
func (p *parser) readPathStart() {
	switch {
	case p.special():
		p.slash()
	case p.rest == "" && p.setter && !p.HasHost:
		p.path = append(p.path, '/')
		return
	case p.rest == "" || !p.setter && (p.peek() == '?' || p.peek() == '#'):
		p.readTail()
		return
	default:
		p.skip('/')
	}
	p.readPath()
}

// readPath reads the segments of a path behind its first slash, and appends
// them to the path that there is.
func (p *parser) readPath() {
	ends := "/"
	if p.special() {
		ends += `\`
	}
	if !p.setter {
		ends += "?#"
	}
	for {
		end := strings.IndexAny(p.rest, ends)
		if end < 0 {
			end = len(p.rest)
		}
		segment := p.rest[:end]
		p.rest = p.rest[end:]
		more := p.slash()
		p.addSegment(segment, more)
		if !more {
			break
		}
	}
	p.readTail()
}

// addSegment appends a segment, after which there may be more.
func (p *parser) addSegment(s string, more bool) {
	switch {
	case isDoubleDot(s):
		p.shorten()
		fallthrough
	case isSingleDot(s):
		if !more {
			p.path = append(p.path, '/')
		}
	case p.Scheme == "file" && len(p.path) == 0 && isDriveLetter(s):
		p.path = append(p.path, '/', s[0], ':')
	default:
		p.path = appendEncoded(append(p.path, '/'), s, setPath)
	}
}

// shorten takes the last segment away, but no drive.
func (p *parser) shorten() {
	if p.Scheme == "file" && len(p.path) == 3 && isDrive(string(p.path[1:])) {
		return
	}
	if i := bytes.LastIndexByte(p.path, '/'); i >= 0 {
		p.path = p.path[:i]
	}
}

func isSingleDot(s string) bool { return s == "." || strings.EqualFold(s, "%2e") }

func isDoubleDot(s string) bool {
	switch len(s) {
	case 2:
		return s == ".."
	case 4:
		return strings.EqualFold(s, ".%2e") || strings.EqualFold(s, "%2e.")
	case 6:
		return strings.EqualFold(s, "%2e%2e")
	}
	return false
}

// isDriveLetter reports whether s is a Windows drive letter, isDrive whether it
// is a normalized one.
func isDriveLetter(s string) bool {
	return len(s) == 2 && isLetter(s[0]) && (s[1] == ':' || s[1] == '|')
}

func isDrive(s string) bool { return isDriveLetter(s) && s[1] == ':' }

// startsWithDriveLetter is for what follows in a path.
func startsWithDriveLetter(s string) bool {
	return len(s) >= 2 && isDriveLetter(s[:2]) && (len(s) == 2 || strings.IndexByte(`/\?#`, s[2]) >= 0)
}

// readOpaque reads an opaque path, and what follows it.
func (p *parser) readOpaque() {
	p.Opaque = true
	end := strings.IndexAny(p.rest, "?#")
	if end < 0 {
		p.path = appendEncoded(p.path, p.rest, setControl)
		return
	}
	text, space := strings.CutSuffix(p.rest[:end], " ")
	p.path = appendEncoded(p.path, text, setControl)
	if space {
		p.path = append(p.path, "%20"...) // it would be trimmed if the query went
	}
	p.rest = p.rest[end:]
	p.readTail()
}

// readTail reads a query and a fragment.
func (p *parser) readTail() {
	if p.setter {
		return
	}
	if p.skip('?') {
		query, _, _ := strings.Cut(p.rest, "#")
		p.rest = p.rest[len(query):]
		p.setQuery(query)
	}
	if p.skip('#') {
		p.setFragment(p.rest)
	}
}

func (p *parser) setQuery(s string) {
	set := setQuery
	if p.special() {
		set = setSpecialQuery
	}
	p.Query, p.HasQuery = encode(s, set), true
}

func (p *parser) setFragment(s string) {
	p.Fragment, p.HasFragment = encode(s, setFragment), true
}
