package js

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Each expression does to a native's arguments what a hostile program may, and
// gives what must come of it: the process would not survive anything else.
func TestHostileBytes(t *testing.T) {
	evalAll(t, map[string]string{
		// Memory that is gone, or less than a view once showed.
		`(() => { const u = new Uint8Array([65, 66]); u.buffer.transfer(); return new TextDecoder().decode(u); })()`:                                                                                        `""`,
		`(() => { const b = new ArrayBuffer(8); structuredClone(b, { transfer: [b] }); return new TextDecoder().decode(b); })()`:                                                                            `""`,
		`(() => { const b = new ArrayBuffer(1 << 20, { maxByteLength: 1 << 21 }), u = new Uint8Array(b); b.resize(3); return new TextDecoder().decode(u).length; })()`:                                      `3`,
		`(() => { const b = new ArrayBuffer(4, { maxByteLength: 1 << 21 }), u = new Uint8Array(b); b.resize(1 << 16); return new TextDecoder().decode(u).length; })()`:                                      `65536`,
		`(() => { const b = new ArrayBuffer(8, { maxByteLength: 16 }), u = new Uint8Array(b, 4, 4); b.resize(6); return new TextDecoder().decode(u).length; })()`:                                           `0`,
		`(() => { const b = new ArrayBuffer(8, { maxByteLength: 16 }), d = new DataView(b, 6); b.resize(2); return new TextDecoder().decode(d).length; })()`:                                                `0`,
		`(() => { const b = new ArrayBuffer(8, { maxByteLength: 16 }), u = new Uint8Array(b); b.resize(2); return Object.values(new TextEncoder().encodeInto("abc", u)); })()`:                              `[2,2]`,
		`(() => { const b = new ArrayBuffer(8), u = new Uint8Array(b); b.transfer(); return Object.values(new TextEncoder().encodeInto("abc", u)); })()`:                                                    `[0,0]`,
		`(() => { const u = new Uint8Array([65]); return new TextDecoder().decode(u, { get stream() { u.buffer.transfer(); return false; } }); })()`:                                                        `""`,
		`(() => { const u = new Uint8Array(8); return Object.values(new TextEncoder().encodeInto({ toString() { u.buffer.transfer(); return "abc"; } }, u)); })()`:                                          `[0,0]`,
		`(() => { const u = new Uint8Array(2); Object.defineProperty(u, "length", { value: 1e9 }); Object.defineProperty(u, "byteLength", { value: 1e9 }); return new TextDecoder().decode(u).length; })()`: `2`,
		`(() => { class U extends Uint8Array { get buffer() { throw 1; } } return new TextDecoder().decode(new U(2)).length; })()`:                                                                          `2`,
		`new TextDecoder().decode(new SharedArrayBuffer(3)).length`:                                                                                                                                         `3`,
		`new TextDecoder("utf-16le").decode(new BigInt64Array([0x0042004100420041n]))`:                                                                                                                      `"ABAB"`,
		`(() => { try { new TextDecoder().decode({ byteLength: 3, buffer: new ArrayBuffer(3), byteOffset: 0 }) } catch (e) { return e.name } })()`:                                                          `"TypeError"`,
		`(() => { try { new TextDecoder().decode(new Proxy(new Uint8Array(3), {})) } catch (e) { return e.name } })()`:                                                                                      `"TypeError"`,
		// Much of something.
		`new TextDecoder().decode(new Uint8Array(1100000)).length`:                                                                                                           `1100000`,
		`new TextDecoder().decode(new Uint8Array(1100000).fill(0xff)).length`:                                                                                                `1100000`,
		`new TextDecoder("gb18030").decode(new Uint8Array(1100000).fill(0x81)).length`:                                                                                       `550000`,
		`new TextEncoder().encode("\ud800".repeat(100000)).length`:                                                                                                           `300000`,
		`Object.values(new TextEncoder().encodeInto("é".repeat(100000), new Uint8Array(3)))`:                                                                                 `[1,2]`,
		`(() => { const d = new TextDecoder(); let n = 0; for (let i = 0; i < 500; i++) n += d.decode(new Uint8Array([0xf0]), { stream: true }).length; return n; })()`:      `499`,
		`(() => { const d = new TextDecoder("iso-2022-jp"); for (let i = 0; i < 500; i++) d.decode(new Uint8Array([0x1b, 0x24]), { stream: true }); return d.decode(); })()`: `"�$"`,
		`(() => { try { new TextEncoder().encode("é".repeat(12 << 20)) } catch (e) { return e.name } })()`:                                                                   `"InternalError"`,
		`(() => { try { new TextDecoder("a".repeat(1 << 20)) } catch (e) { return [e.name, e.message.length < 300] } })()`:                                                   `["RangeError",true]`,
	})
}

// evalAll holds expressions' values, as JSON, against wants in one engine.
func evalAll(t *testing.T, wants map[string]string) {
	t.Helper()
	expressions := slices.Sorted(maps.Keys(wants))
	b := mustStart(t, "const all = [() => ("+strings.Join(expressions, "),\n() => (")+")]; export const f = (i) => all[i]();")
	for i, expression := range expressions {
		got, err := b.do(t.Context(), "f", strconv.Itoa(i))
		if err != nil || got != wants[expression] {
			t.Errorf("%s: got %s, %v, want %s", expression, got, err, wants[expression])
		}
	}
}

// A decoder in the middle of a character is in the image.
func TestRestoredDecoder(t *testing.T) {
	prelude, p := writeImage(t), program(`
		const utf8 = new TextDecoder(), jis = new TextDecoder("iso-2022-jp"), next = (d, ...bytes) => d.decode(new Uint8Array(bytes), { stream: true });
		export const f = () => next(utf8, 0xe2, 0x82) + next(jis, 0x1b, 0x24, 0x42, 0x46);
		export const g = () => next(utf8, 0xac) + next(jis, 0x7c);`)
	image := life(t, prelude, p, InstanceImage, func(b *bench) {
		if got := b.must("f", ""); got != `""` {
			t.Fatalf("got %s", got)
		}
	})
	b := restored(t, prelude, image, p)
	if got := b.must("g", ""); got != `"€日"` {
		t.Errorf("got %s", got)
	}
}

func TestCopyScalars(t *testing.T) {
	const text = "a\xed\xa0\x80é😀\xed\xbf\xbf" // as QuickJS has lone surrogates
	for room, want := range [][3]any{
		{0, 0, ""}, {1, 1, "a"}, {1, 1, "a"}, {1, 1, "a"}, {2, 4, "a\ufffd"}, {2, 4, "a\ufffd"}, {3, 6, "a\ufffdé"},
		{3, 6, "a\ufffdé"}, {3, 6, "a\ufffdé"}, {3, 6, "a\ufffdé"}, {5, 10, "a\ufffdé😀"}, {5, 10, "a\ufffdé😀"}, {5, 10, "a\ufffdé😀"}, {6, 13, "a\ufffdé😀\ufffd"},
		{6, 13, "a\ufffdé😀\ufffd"},
	} {
		dst := make([]byte, room)
		read, written := copyScalars(dst, []byte(text))
		if got := [3]any{read, written, string(dst[:written])}; got != want {
			t.Errorf("room for %d: got %q, want %q", room, got, want)
		}
	}
}

func TestNewArrayTooLarge(t *testing.T) {
	b := open(t, nil)
	for _, n := range []int{1 << 31, 1 << 40} {
		if v := b.newArray(n, func([]byte) { t.Error("filled") }); !isThrown(v) {
			t.Errorf("%d bytes: %v", n, v)
		}
		b.drop(b.exception())
	}
	v := b.newBytes([]byte("abc"))
	defer b.drop(v)
	if got, ok := b.bytesOf(v); !ok || !bytes.Equal(got, []byte("abc")) {
		t.Errorf("got %q", got)
	}
}

func TestBytesOfNoBuffer(t *testing.T) {
	b := open(t, nil)
	for _, v := range []value{undefined, integer(1), boolean(true)} {
		if _, ok := b.bytesOf(v); ok {
			t.Errorf("%v has bytes", v)
		}
		b.drop(b.exception())
	}
}
