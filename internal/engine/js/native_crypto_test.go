package js

import (
	"bytes"
	"context"
	"crypto"
	stdpbkdf2 "crypto/pbkdf2"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	lib "modernc.org/libquickjs"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// callNative calls a native as the prelude does and returns its answer as text.
func callNative(e *Engine, n nativeMember, args ...value) string {
	f := withC(n.name, func(p uintptr) value {
		return lib.XJS_NewCFunction2(e.tls, e.ctx, fn(n.f), p, n.length, lib.EJS_CFUNC_generic, 0)
	})
	defer e.drop(f)
	v := e.call(f, args...)
	defer e.drop(v)
	if isThrown(v) {
		x := e.exception()
		defer e.drop(x)
		return "threw " + e.member(x, "message", 200)
	}
	s, _, _ := e.text(v, 200)
	return s
}

// TestCryptoNativesTakeAnything calls each native with arguments of every kind
// in every place: the engine must stand, and either answer or throw.
func TestCryptoNativesTakeAnything(t *testing.T) {
	e := open(t, nil).Engine
	e.prepare(program(""))
	text := func(s string) value { return e.newString(s) }
	kinds := []value{
		undefined, {Ftag: lib.EJS_TAG_NULL}, boolean(true), integer(-1), number(1e300), number(0.5), integer(16),
		text(""), text("SHA-256"), text("P-256"), text("Ed25519"), text(strings.Repeat("x", 5000)),
		e.newBytes(nil), e.newBytes(make([]byte, 16)), e.newBytes(make([]byte, 32)), e.newBytes(bytes.Repeat([]byte{255}, 66)),
		lib.XJS_NewObject(e.tls, e.ctx),
	}
	for _, n := range cryptoNatives {
		for i := range n.length {
			for _, kind := range kinds {
				for _, others := range kinds {
					args := make([]value, n.length)
					for j := range args {
						args[j] = others
					}
					args[i] = kind
					callNative(e, n, args...)
				}
			}
		}
	}
	if got := callNative(e, nativeMember{"cryptoText", 1, nativeCryptoText}, e.newBytes([]byte("ok\xff"))); got != "ok\ufffd" {
		t.Errorf("after all that cryptoText gives %q", got)
	}
}

func TestCryptoNativesRefuse(t *testing.T) {
	e := open(t, nil).Engine
	e.prepare(program(""))
	text, zeros := e.newString, func(n int) value { return e.newBytes(make([]byte, n)) }
	for _, c := range []struct {
		native nativeMember
		args   []value
		want   string
	}{
		{nativeMember{"digest", 2, nativeDigest}, []value{text("MD5"), zeros(1)}, "threw crypto: there is no such hash"},
		{nativeMember{"digest", 2, nativeDigest}, []value{text("SHA-1"), text("abc")}, "threw"},
		{nativeMember{"seal", 4, nativeSeal}, []value{zeros(17), zeros(12), zeros(0), zeros(16)}, "threw crypto: crypto/aes: invalid key size 17"},
		{nativeMember{"seal", 4, nativeSeal}, []value{zeros(16), zeros(0), zeros(0), zeros(16)}, "threw crypto:"},
		{nativeMember{"seal", 4, nativeSeal}, []value{zeros(16), zeros(12), zeros(0), zeros(15)}, "threw crypto: the buffer has no room for the tag"},
		{nativeMember{"open", 5, nativeOpen}, []value{zeros(16), zeros(12), zeros(0), zeros(3), integer(4)}, "false"},
		{nativeMember{"open", 5, nativeOpen}, []value{zeros(16), zeros(12), zeros(0), zeros(32), integer(17)}, "threw crypto: the number is out of range"},
		{nativeMember{"open", 5, nativeOpen}, []value{zeros(16), zeros(12), zeros(0), zeros(32), number(0.5)}, "threw crypto: the number is out of range"},
		{nativeMember{"hkdf", 5, nativeHkdf}, []value{text("SHA-256"), zeros(1), zeros(0), zeros(0), integer(255*32 + 1)}, "undefined"},
		{nativeMember{"ecPublic", 2, nativeEcPublic}, []value{text("P-224"), zeros(28)}, "threw crypto: there is no such curve"},
		{nativeMember{"ecPublic", 2, nativeEcPublic}, []value{text("P-256"), zeros(32)}, "undefined"},
		{nativeMember{"ecPoint", 2, nativeEcPoint}, []value{text("P-256"), zeros(65)}, "false"},
		{nativeMember{"ecSign", 4, nativeEcSign}, []value{text("P-256"), zeros(32), text("SHA-256"), zeros(1)}, "threw crypto:"},
		{nativeMember{"ecVerify", 5, nativeEcVerify}, []value{text("P-256"), zeros(65), text("SHA-256"), zeros(1), zeros(64)}, "false"},
		{nativeMember{"edSign", 2, nativeEdSign}, []value{zeros(31), zeros(1)}, "threw crypto: the key has a wrong length"},
		{nativeMember{"edVerify", 3, nativeEdVerify}, []value{zeros(32), zeros(1), zeros(63)}, "false"},
		{nativeMember{"parseSpki", 2, nativeParseSpki}, []value{text("RSA"), zeros(1)}, "threw crypto: there is no such type of key"},
		{nativeMember{"parseSpki", 2, nativeParseSpki}, []value{text("P-256"), zeros(0)}, "undefined"},
		{nativeMember{"parsePkcs8", 2, nativeParsePkcs8}, []value{text("Ed25519"), zeros(48)}, "undefined"},
	} {
		if got := callNative(e, c.native, c.args...); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.native.name, got, c.want)
		}
	}
}

func TestPBKDF2(t *testing.T) {
	never := func() bool { return false }
	for _, n := range []int{1, 31, 32, 33, 100} {
		for _, iterations := range []int{1, 2, 1000, 3000} {
			want, err := stdpbkdf2.Key(crypto.SHA256.New, "password", []byte("salt"), iterations, n)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]byte, n)
			if !pbkdf2(crypto.SHA256, []byte("password"), []byte("salt"), int64(iterations), got, never) || !bytes.Equal(got, want) {
				t.Errorf("%d bytes, %d iterations: got %x, want %x", n, iterations, got, want)
			}
		}
	}
}

// TestPBKDF2EndsWithTheTurn holds that no number of iterations outlives the
// turn's time, and that the guest cannot catch the end.
func TestPBKDF2EndsWithTheTurn(t *testing.T) {
	const app = `export async function f() {
		try {
			const key = await crypto.subtle.importKey("raw", new Uint8Array(8), "PBKDF2", false, ["deriveBits"]);
			await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-512", salt: new Uint8Array(8), iterations: 0xffffffff }, key, %d);
		} finally { return "caught"; }
	}`
	for _, bits := range []int{8, 8 << 20} {
		p := program(fmt.Sprintf(app, bits))
		p.Turn = 200 * time.Millisecond
		b, err := start(t, p)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := b.do(context.Background(), "f", ""); err == nil {
			t.Fatalf("f gave %s", out)
		}
		wantExit(t, b.ended(), mp.CauseCallLimit)
		b.Close()
	}
}

// TestGeneratedKeysDifferBetweenInstances holds that no two instances of one
// image make the same key.
func TestGeneratedKeysDifferBetweenInstances(t *testing.T) {
	image := writeImage(t)
	const app = `export async function f() {
		const { subtle } = crypto, out = [];
		for (const algorithm of [{ name: "ECDSA", namedCurve: "P-256" }, { name: "Ed25519" }]) {
			const { privateKey } = await subtle.generateKey(algorithm, true, ["sign", "verify"]);
			out.push((await subtle.exportKey("jwk", privateKey)).d);
		}
		for (const algorithm of [{ name: "HMAC", hash: "SHA-256" }, { name: "AES-GCM", length: 256 }]) {
			const key = await subtle.generateKey(algorithm, true, algorithm.hash ? ["sign"] : ["encrypt"]);
			out.push((await subtle.exportKey("jwk", key)).k);
		}
		return out;
	}`
	seen := map[string]int{}
	for instance := range 2 {
		var keys []string
		if err := json.Unmarshal([]byte(serveFrom(t, image, byte(instance), app, "mapped")), &keys); err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			seen[key]++
		}
	}
	if len(seen) != 8 {
		t.Errorf("two instances of one image made %d keys, want 8: %v", len(seen), seen)
	}
}
