package js

import (
	"fmt"
	"strings"

	"modernc.org/libc"

	"github.com/mpsupervisor/mpsupervisor/internal/weburl"
)

// urlNatives parse addresses and form data. They keep nothing.
var urlNatives = []nativeMember{
	{"parseURL", 3, nativeParseURL},         // (url, base or undefined, Uint32Array(10) at) → href and its offsets, or what is wrong and at[0] is 0
	{"setURL", 4, nativeSetURL},             // (href, part, value, at) → as parseURL, or undefined: nothing changes
	{"unescapeForm", 1, nativeUnescapeForm}, // (string of 1 Mi units at most) → string
	{"escapeForm", 1, nativeEscapeForm},     // the same
}

// maxURL bounds an address, in bytes of UTF-8. Browsers have a bound like it.
const maxURL = 2 << 20

// address is the text of a string argument, or what is wrong with it.
func (e *Engine) address(v value) (s string, wrong error, ok bool) {
	s, length, ok := e.text(v, maxURL)
	if length > maxURL {
		wrong = fmt.Errorf("it is longer than %d bytes", maxURL)
	}
	return s, wrong, ok
}

func nativeParseURL(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	e := current.Load()
	at, ok := e.bytesOf(argument(argv, 2))
	if !ok {
		return thrown
	}
	u, err, ok := e.parseURL(argument(argv, 0), argument(argv, 1))
	switch {
	case !ok:
		return thrown
	case err != nil:
		setWords(at, 0)
		return e.newString(err.Error())
	}
	return e.newURL(u, at)
}

func (e *Engine) parseURL(input, base value) (u *weburl.URL, err error, ok bool) {
	var b *weburl.URL
	if !isUndefined(base) {
		if b, err, ok = e.parseURL(base, undefined); !ok {
			return nil, nil, false
		}
		if err != nil {
			return nil, fmt.Errorf("the base is not: %w", err), true
		}
	}
	s, err, ok := e.address(input)
	if err == nil && ok {
		u, err = weburl.Parse(s, b)
	}
	return u, err, ok
}

// newURL is a URL's text. Its offsets go to at.
func (e *Engine) newURL(u *weburl.URL, at []byte) value {
	s, o := u.Text()
	setWords(at, o.Scheme, o.Username, o.UsernameEnd, o.PasswordEnd, o.Host, o.HostEnd, o.PortEnd, o.Path, o.PathEnd, o.QueryEnd)
	return e.newString(s)
}

func nativeSetURL(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	e := current.Load()
	at, ok := e.bytesOf(argument(argv, 3))
	if !ok {
		return thrown
	}
	u, err, ok := e.parseURL(argument(argv, 0), undefined)
	if !ok {
		return thrown
	}
	s, wrong, ok := e.address(argument(argv, 2))
	switch {
	case !ok:
		return thrown
	case err != nil || wrong != nil:
		return undefined
	}
	// An error says that the value does not fit: the setters tell nobody.
	_ = u.Set(weburl.Part(argument(argv, 1).Fu.Fuint641), s)
	return e.newURL(u, at)
}

// maxForm is a name or a value of a form: the prelude passes 1 Mi code units.
const maxForm = 3 << 20

func nativeUnescapeForm(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	e := current.Load()
	s, _, ok := e.text(argument(argv, 0), maxForm)
	if !ok {
		return thrown
	}
	return e.newString(weburl.UnescapeForm(s))
}

func nativeEscapeForm(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	e := current.Load()
	s, _, ok := e.text(argument(argv, 0), maxForm)
	if !ok {
		return thrown
	}
	var b strings.Builder
	weburl.EscapeForm(&b, s)
	return e.newString(b.String())
}
