package weburl

import (
	"strings"
	"testing"
)

func mustParse(t testing.TB, input, base string) *URL {
	t.Helper()
	var b *URL
	if base != "" {
		b = mustParse(t, base, "")
	}
	u, err := Parse(input, b)
	if err != nil {
		t.Fatalf("%q: %v", input, err)
	}
	return u
}

func TestParse(t *testing.T) {
	const shop = "https://shop.example/goods/list?page=2#top"
	for _, c := range []struct{ input, base, want string }{
		{" \x00https://a.example/\n ", "", "https://a.example/"},
		{"ht\ntps://a.exa\tmple", "", "https://a.example/"},
		{"HTTPS://A.Example", "", "https://a.example/"},
		{"https:a.example", "", "https://a.example/"},
		{`https:\\a.example\x\y`, "", "https://a.example/x/y"},
		{"https://a.example:443/", "", "https://a.example/"},
		{"http://a.example:00080", "", "http://a.example/"},
		{"http://a.example:", "", "http://a.example/"},
		{"https://a@b@c.example/", "", "https://a%40b@c.example/"},
		{"https://u:p:q@c.example/", "", "https://u:p%3Aq@c.example/"},
		{"https://:@c.example/", "", "https://c.example/"},
		{"https://c.example/a/./b/../c", "", "https://c.example/a/c"},
		{"https://c.example/a/%2e%2E/b/.%2e", "", "https://c.example/"},
		{"https://c.example/ \"<>^`{}é", "", "https://c.example/%20%22%3C%3E%5E%60%7B%7D%C3%A9"},
		{"https://c.example/?a'b\"c", "", "https://c.example/?a%27b%22c"},
		{"x://c/?a'b", "", "x://c/?a'b"},
		{"https://c.example/#a b`", "", "https://c.example/#a%20b%60"},
		{"item", shop, "https://shop.example/goods/item"},
		{"../x/", shop, "https://shop.example/x/"},
		{"/x", shop, "https://shop.example/x"},
		{"//other.example", shop, "https://other.example/"},
		{`\\other.example`, shop, "https://other.example/"},
		{"?q", shop, "https://shop.example/goods/list?q"},
		{"#f", shop, "https://shop.example/goods/list?page=2#f"},
		{"", shop, "https://shop.example/goods/list?page=2"},
		{"https:item", shop, "https://shop.example/goods/item"},
		{"http:item", shop, "http://item/"},
		{"mailto:a b@c.example", "", "mailto:a b@c.example"},
		{"data:x  ?y", "", "data:x %20?y"},
		{"#f", "data:x", "data:x#f"},
		{"x:/a/../..//b", "", "x:/.//b"},
		{"x://h/a/..", "", "x://h/"},
		{"x://u@h:1", "", "x://u@h:1"},
		{"file:c|/a/../..", "", "file:///c:/"},
		{"file://localhost/a", "", "file:///a"},
		{"file://host/a", "", "file://host/a"},
		{"/b", "file:///c:/a", "file:///c:/b"},
		{"d|/b", "file:///c:/a", "file:///d:/b"},
		{"file:", "file://h/a?q", "file://h/a?q"},
		{"http://0x7f.1", "", "http://127.0.0.1/"},
		{"http://017700000001", "", "http://127.0.0.1/"},
		{"http://1.2.3.", "", "http://1.2.0.3/"},
		{"http://%31%32.example", "", "http://12.example/"},
		{"http://[1:0:0:2:0:0:0:3]", "", "http://[1:0:0:2::3]/"},
		{"http://[::ffff:1.2.3.4]", "", "http://[::ffff:102:304]/"},
		{"http://[0:1:0:1:0:1:0:1]", "", "http://[0:1:0:1:0:1:0:1]/"},
		{"http://bücher.example", "", "http://xn--bcher-kva.example/"},
		{"http://BÜCHER.example", "", "http://xn--bcher-kva.example/"},
		{"http://faß.example", "", "http://xn--fa-hia.example/"},
		{"http://商店。中国", "", "http://xn--czrs0t.xn--fiqs8s/"},
		{"http://☕.example", "", "http://xn--53h.example/"},
		{"http://a_b.example", "", "http://a_b.example/"},
		{"x://a%41é/", "", "x://a%41%C3%A9/"},
	} {
		var base *URL
		if c.base != "" {
			base = mustParse(t, c.base, "")
		}
		got := ""
		if u, err := Parse(c.input, base); err == nil {
			got = u.String()
		}
		if got != c.want {
			t.Errorf("%q at %q: got %q, want %q", c.input, c.base, got, c.want)
		}
	}
}

func TestRefuses(t *testing.T) {
	for _, input := range []string{
		"", "x", "/x", "//x", "1x:y", "http:", "http://", "http://:80", "http://a@", "http://a@/x", "http://a:65536", "http://a:1x",
		"http://a b", "http://a<b", "http://a%00", "http://a%2fb", "http://[::1", "http://[::1]x", "http://[::1%25eth0]", "http://[1:2]", "http://[g::]",
		"http://256.1.1.1", "http://1.2.3.4.5", "http://1.2.3.09", "http://1..2.3", "http://0xg.1", "http://4294967296", "http://%ff",
		"http://\u00ad", "http://xn--\u00fc", "http://\ufffd", "file://a:1/", "x://a:b", "x://a b/", "x://[::1", "x://a^b",
	} {
		if u, err := Parse(input, nil); err == nil {
			t.Errorf("%q is %s", input, u)
		}
	}
	if _, err := Parse("x", mustParse(t, "mailto:a", "")); err == nil {
		t.Error("an opaque path is a base")
	}
}

func TestOffsets(t *testing.T) {
	for input, want := range map[string]string{
		"https://u:p@h.example:8/a/b?q=1#f": "https:|u|p|h.example|8|/a/b|?q=1|#f",
		"https://h.example":                 "https:|||h.example||/||",
		"https://:p@h.example?":             "https:||p|h.example||/|?|",
		"mailto:a?b":                        "mailto:|||||a|?b|",
		"x:/.//a":                           "x:|||||//a||",
	} {
		s, o := mustParse(t, input, "").Text()
		after := func(mark, end int) string {
			if end <= mark {
				return ""
			}
			return s[mark+1 : end]
		}
		got := strings.Join([]string{
			s[:o.Scheme], s[o.Username:o.UsernameEnd], after(o.UsernameEnd, o.PasswordEnd), s[o.Host:o.HostEnd],
			after(o.HostEnd, o.PortEnd), s[o.Path:o.PathEnd], s[o.PathEnd:o.QueryEnd], s[o.QueryEnd:],
		}, "|")
		if got != want {
			t.Errorf("%s: got %s, want %s", input, got, want)
		}
	}
}

// Many segments, slashes and dots must not cost the square of their number.
func TestLongInputs(t *testing.T) {
	const n = 1 << 20
	for _, input := range []string{
		"x:/" + strings.Repeat("a/", n), "x:/" + strings.Repeat("../", n), "http://h/" + strings.Repeat(`\`, n),
		"http://" + strings.Repeat("@", n) + "h", "http://h/" + strings.Repeat("%", n), "http://" + strings.Repeat("a.", n) + "1",
		"x:" + strings.Repeat(" ", n) + "?", "http://" + strings.Repeat("ü", 1<<16),
	} {
		if u, err := Parse(input, nil); err == nil {
			_ = u.String()
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"https://u:p@h:1/a/../b?q#f", "file:///c|/../x", "x:/..//y", "data:a  #b", "http://[::1]:1", "http://1.0x2", "http://bücher.example/ü", `http:\\x\`,
	} {
		f.Add(s, "https://base.example/a/b?q#f", "x")
	}
	f.Fuzz(func(t *testing.T, input, base, value string) {
		b, err := Parse(base, nil)
		if err != nil {
			b = nil
		}
		u, err := Parse(input, b)
		if err != nil {
			return
		}
		stays(t, u)
		for part := Protocol; part <= Hash; part++ {
			changed := *u
			_ = changed.Set(part, value)
			stays(t, &changed)
		}
	})
}

// stays holds that a URL's text is ASCII and is read as the same URL.
func stays(t *testing.T, u *URL) {
	t.Helper()
	s := u.String()
	if !isASCII(s) {
		t.Fatalf("%q is not ASCII", s)
	}
	again, err := Parse(s, nil)
	if err != nil {
		t.Fatalf("%q cannot be read: %v", s, err)
	}
	if again.String() != s {
		t.Fatalf("%q is read as %q", s, again)
	}
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		u, err := Parse("https://user:pw@shop.example.com:8080/a/b/../c?x=1&y=two#frag", nil)
		if err != nil {
			b.Fatal(err)
		}
		u.Text()
	}
}
