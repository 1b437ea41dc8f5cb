// Package weburl parses URLs as browsers do: it is the basic URL parser of the
// WHATWG URL Standard, with the setters of its API. What is accepted, and how
// it is written again, differs from RFC 3986 and from net/url in many places.
//
// Text is UTF-8, in a query as well. Validation errors, which the standard has
// for the authors of URLs, are not told.
package weburl

import (
	"strconv"
	"strings"
)

// URL is the standard's URL record (section 4.1).
type URL struct {
	Scheme   string // lower case, without the colon
	Username string // percent-encoded, as are the next two
	Password string
	Host     string // as it is written, with the brackets of an IPv6 address
	HasHost  bool   // an empty host is something else than none
	Port     int    // -1: none, or the scheme's own
	Opaque   bool   // the path does not begin with a slash, and is no list
	Path     string
	Query    string
	HasQuery bool
	Fragment string

	HasFragment bool
}

// Offsets say where the components are in a URL's text. All are byte offsets;
// the text is ASCII.
type Offsets struct {
	Scheme      int // the end of the scheme, after its colon
	Username    int // the username's first byte
	UsernameEnd int
	PasswordEnd int // the password is from UsernameEnd+1, or empty when there is no byte for it
	Host        int
	HostEnd     int
	PortEnd     int // the port is from HostEnd+1, or empty as the password
	Path        int
	PathEnd     int // the query is from here, with its question mark
	QueryEnd    int // the fragment is from here, with its number sign
}

// isSpecial reports whether a scheme is one of the standard's special ones,
// which have a host, and its default port, or -1.
func isSpecial(scheme string) (port int, ok bool) {
	switch scheme {
	case "http", "ws":
		return 80, true
	case "https", "wss":
		return 443, true
	case "ftp":
		return 21, true
	case "file":
		return -1, true
	}
	return -1, false
}

func (u *URL) special() bool {
	_, ok := isSpecial(u.Scheme)
	return ok
}

func (u *URL) hasCredentials() bool { return u.Username != "" || u.Password != "" }

// fixed reports whether the URL cannot have a username, a password or a port.
func (u *URL) fixed() bool { return u.Host == "" || u.Scheme == "file" }

// String is the URL serializer (section 4.5).
func (u *URL) String() string {
	s, _ := u.Text()
	return s
}

// Text is the URL's text, and where its components are in it.
func (u *URL) Text() (string, Offsets) {
	var (
		b strings.Builder
		o Offsets
	)
	b.Grow(len(u.Scheme) + len(u.Username) + len(u.Password) + len(u.Host) + len(u.Path) + len(u.Query) + len(u.Fragment) + 16)
	b.WriteString(u.Scheme)
	b.WriteByte(':')
	o.Scheme = b.Len()
	u.writeAuthority(&b, &o)
	if !u.HasHost && !u.Opaque && strings.HasPrefix(u.Path, "//") {
		b.WriteString("/.") // else the path would be read as a host
	}
	o.Path = b.Len()
	b.WriteString(u.Path)
	o.PathEnd = b.Len()
	if u.HasQuery {
		b.WriteByte('?')
		b.WriteString(u.Query)
	}
	o.QueryEnd = b.Len()
	if u.HasFragment {
		b.WriteByte('#')
		b.WriteString(u.Fragment)
	}
	return b.String(), o
}

func (u *URL) writeAuthority(b *strings.Builder, o *Offsets) {
	if u.HasHost {
		b.WriteString("//")
	}
	o.Username = b.Len()
	b.WriteString(u.Username)
	o.UsernameEnd = b.Len()
	if u.Password != "" {
		b.WriteByte(':')
		b.WriteString(u.Password)
	}
	o.PasswordEnd = b.Len()
	if u.hasCredentials() {
		b.WriteByte('@')
	}
	o.Host = b.Len()
	b.WriteString(u.Host)
	o.HostEnd = b.Len()
	if u.Port >= 0 {
		b.WriteByte(':')
		b.WriteString(strconv.Itoa(u.Port))
	}
	o.PortEnd = b.Len()
}
