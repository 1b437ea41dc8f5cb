package weburl

import (
	"strings"
	"testing"
)

func TestSet(t *testing.T) {
	const full, file, opaque = "https://u:p@h.example:8/a?q#f", "file:///a", "mailto:a"
	for _, c := range []struct {
		url   string
		part  Part
		value string
		want  string // empty: as it was
	}{
		{full, Protocol, "http:x", "http://u:p@h.example:8/a?q#f"},
		{full, Protocol, "x", ""},
		{full, Protocol, "file", ""},
		{"https://h.example:80/", Protocol, "http", "http://h.example/"},
		{file, Protocol, "http", ""},
		{"x:a", Protocol, "y+z", "y+z:a"},
		{"x:a", Protocol, "1", ""},
		{full, Username, "a:b", "https://a%3Ab:p@h.example:8/a?q#f"},
		{full, Password, "", "https://u@h.example:8/a?q#f"},
		{file, Username, "a", ""},
		{opaque, Password, "a", ""},
		{full, Host, "i.example:9/x", "https://u:p@i.example:9/a?q#f"},
		{full, Host, "i.example", "https://u:p@i.example:8/a?q#f"},
		{full, Host, "", ""},
		{full, Host, "a b", ""},
		{full, Host, "i:99999", "https://u:p@i:8/a?q#f"},
		{full, Hostname, "i.example:9", ""},
		{full, Hostname, "1.2", "https://u:p@1.0.0.2:8/a?q#f"},
		{"x://h/", Hostname, "", "x:///"},
		{"x://u@h/", Hostname, "", ""},
		{file, Host, "localhost", ""},
		{file, Host, "h", "file://h/a"},
		{file, Host, "h:1", ""},
		{opaque, Host, "h", ""},
		{full, Port, "9x", "https://u:p@h.example:9/a?q#f"},
		{full, Port, "", "https://u:p@h.example/a?q#f"},
		{full, Port, "443", "https://u:p@h.example/a?q#f"},
		{full, Port, "x9", ""},
		{full, Port, "65536", ""},
		{file, Port, "1", ""},
		{full, Pathname, "x/../y?z#", "https://u:p@h.example:8/y%3Fz%23?q#f"},
		{full, Pathname, "", "https://u:p@h.example:8/?q#f"},
		{"x:/a", Pathname, "//b", "x:/.//b"},
		{opaque, Pathname, "b", ""},
		{full, Search, "?a#b", "https://u:p@h.example:8/a?a%23b#f"},
		{full, Search, "", "https://u:p@h.example:8/a#f"},
		{full, Search, "?", "https://u:p@h.example:8/a?#f"},
		{full, Hash, "#a b", "https://u:p@h.example:8/a?q#a%20b"},
		{full, Hash, "", "https://u:p@h.example:8/a?q"},
		{full, Hash, "a\nb", "https://u:p@h.example:8/a?q#ab"},
	} {
		u := mustParse(t, c.url, "")
		_ = u.Set(c.part, c.value)
		if c.want == "" {
			c.want = c.url
		}
		if got := u.String(); got != c.want {
			t.Errorf("%s, part %d = %q: got %s, want %s", c.url, c.part, c.value, got, c.want)
		}
	}
}

func TestForm(t *testing.T) {
	for escaped, plain := range map[string]string{
		"a+b%20c": "a b c", "%e2%82%ac": "€", "%": "%", "%4": "%4", "%zz": "%zz", "%ff": "\ufffd", "%ef%bb%bfx": "\ufeffx",
	} {
		if got := UnescapeForm(escaped); got != plain {
			t.Errorf("%q: got %q, want %q", escaped, got, plain)
		}
	}
	var b strings.Builder
	EscapeForm(&b, "aZ9*-._ ~'()!€\x00")
	if got, want := b.String(), "aZ9*-._+%7E%27%28%29%21%E2%82%AC%00"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
