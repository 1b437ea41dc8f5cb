package js

import (
	"encoding/base64"
	"math"
	"strings"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// domNatives are what the DOM's and HTML's part of the prelude hangs on.
var domNatives = []nativeMember{
	{"kind", 1, nativeKind},           // (value) → the number of its internal class; 0: no object
	{"atob", 1, nativeAtob},           // (base64) → text of bytes, or undefined
	{"btoa", 1, nativeBtoa},           // (text of bytes) → base64, or undefined
	{"userAgent", 0, nativeUserAgent}, // () → navigator.userAgent
}

func nativeKind(tls *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	return integer(int32(lib.XJS_GetClassID(tls, argument(argv, 0))))
}

// nativeAtob decodes as the Infra Standard's forgiving-base64 decode does.
func nativeAtob(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	e := current.Load()
	s, _, ok := e.text(argument(argv, 0), math.MaxInt)
	if !ok {
		return thrown
	}
	b, ok := decodeForgiving(s)
	if !ok {
		return undefined
	}
	var text strings.Builder
	for _, c := range b {
		text.WriteRune(rune(c))
	}
	return e.newString(text.String())
}

func decodeForgiving(s string) ([]byte, bool) {
	s = strings.NewReplacer(" ", "", "\t", "", "\n", "", "\f", "", "\r", "").Replace(s)
	if len(s)%4 == 0 {
		s = strings.TrimSuffix(strings.TrimSuffix(s, "="), "=")
	}
	b, err := base64.RawStdEncoding.DecodeString(s)
	return b, err == nil
}

func nativeBtoa(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	e := current.Load()
	s, _, ok := e.text(argument(argv, 0), math.MaxInt)
	if !ok {
		return thrown
	}
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return undefined
		}
		b = append(b, byte(r))
	}
	return e.newString(base64.StdEncoding.EncodeToString(b))
}

func nativeUserAgent(*libc.TLS, uintptr, value, int32, uintptr) value {
	return current.Load().newString("mpsupervisor/" + mp.Version)
}
