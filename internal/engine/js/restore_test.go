package js

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

func nothing(*bench) {}

// restored loads p from image, which must work.
func restored(t testing.TB, prelude *os.File, image *os.File, p engine.Program) *bench {
	t.Helper()
	b := begin(t, prelude, from(image, p, 1))
	t.Cleanup(func() {
		if b.Engine != nil {
			b.end()
		}
	})
	wantRestored(t, b)
	return b
}

// What was in flight is given up, here and there.
func TestSuspendedInFlight(t *testing.T) {
	prelude, p := writeImage(t), program(`
		let answer = "none", resolve;
		const asked = mp.request("never").catch((e) => { answer = e.name + ": " + e.message; });
		export const hang = () => new Promise((r) => { resolve = r; });
		export const begun = () => resolve !== undefined;
		export const finish = async () => { resolve("too late"); await asked; return answer; };`)
	hung := make(chan error, 1)
	image := life(t, prelude, p, InstanceImage, func(b *bench) {
		b.Call(context.Background(), "hang", nil, func(_ []byte, err error) { hung <- err })
		for b.must("begun", "") != "true" {
		}
	})
	var guest *mp.GuestError
	if err := <-hung; !errors.As(err, &guest) || guest.Name != "AbortError" || !strings.Contains(guest.Message, "suspended") {
		t.Errorf("the call ended with %v", err)
	}
	b := restored(t, prelude, image, p)
	if got, want := b.must("finish", ""), `"AbortError: the program was suspended before the host answered"`; got != want {
		t.Errorf("the request ended with %s, want %s", got, want)
	}
	if s := strings.Join(b.exports, " "); s != "begun finish hang" {
		t.Errorf("exports: %s", s)
	}
	if s := b.logs.String(); s != "" {
		t.Errorf("logged: %s", s)
	}
}

// What was Go's own, a compression stream, is gone after a restore and says so;
// new ones are not taken for old ones.
func TestRestoredCodec(t *testing.T) {
	prelude, p := writeImage(t), program(`
		const squeeze = async (writer, reader, text) => {
			const all = [];
			writer.write(new TextEncoder().encode(text)).catch(() => {});
			writer.close().catch(() => {});
			for (;;) { const { done, value } = await reader.read(); if (done) return all.flatMap((a) => [...a]).length; all.push(value); }
		};
		const open = () => { const s = new CompressionStream("gzip"); return [s.writable.getWriter(), s.readable.getReader()]; };
		const old = open();
		old[1].read().catch(() => {});
		await old[0].write(new Uint8Array(10));
		export const f = async () => [await squeeze(...open(), "new") > 20, await squeeze(...old, "old").catch((e) => e.name), await squeeze(...open(), "new") > 20];`)
	b := restored(t, prelude, life(t, prelude, p, InstanceImage, nothing), p)
	if got, want := b.must("f", ""), `[true,"AbortError",true]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Nothing runs after a suspension: no timer, no call.
func TestSuspendedRunsNoMore(t *testing.T) {
	b := begin(t, writeImage(t), program(`setInterval(() => console.log("tick"), 1); export const f = () => 1;`))
	defer b.end()
	if err := b.suspendTo(InstanceImage, memory(t)); err != nil {
		t.Fatal(err)
	}
	before := b.logs.String()
	var guest *mp.GuestError
	if _, err := b.do(context.Background(), "f", ""); !errors.As(err, &guest) || guest.Name != "AbortError" {
		t.Errorf("a call ended with %v", err)
	}
	if err := b.suspendTo(InstanceImage, memory(t)); !errors.As(err, &guest) {
		t.Errorf("a second suspension ended with %v", err)
	}
	time.Sleep(20 * time.Millisecond)
	if after := b.logs.String(); after != before {
		t.Errorf("the program went on: %s", after)
	}
}

// Time went on while the program was away: 60 seconds in from.
func TestRestoredClock(t *testing.T) {
	prelude, p := writeImage(t), program(`
		const origin = performance.timeOrigin, fired = [];
		setTimeout(() => fired.push("soon"), 30000);
		setTimeout(() => fired.push("late"), 90000);
		let last = 0;
		export const f = () => { const past = last; last = performance.now(); return [performance.timeOrigin === origin, last - past > 50000 && last - past < 90000, fired.join()]; };`)
	image := life(t, prelude, p, InstanceImage, func(b *bench) { b.must("f", "") })
	b := restored(t, prelude, image, p)
	b.must("f", "") // the timer may come after it
	time.Sleep(10 * time.Millisecond)
	b.end()

	b = restored(t, prelude, image, p)
	if got, want := b.must("f", ""), `[true,true,"`; !strings.HasPrefix(got, want) {
		t.Errorf("got %s, want %s…", got, want)
	}
	time.Sleep(10 * time.Millisecond)
	if got, want := b.must("f", ""), `[true,false,"soon"]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	b.end()

	p.Start = p.Start.Add(-time.Hour) // the host's clock was put back
	b = restored(t, prelude, image, p)
	if got, want := b.must("f", ""), `[true,false,""]`; got != want {
		t.Errorf("after the clock was put back: %s, want %s", got, want)
	}
}

// Two continuations of one image have nothing random in common, nor with what
// the image's own program went on to.
func TestRestoredRandomness(t *testing.T) {
	prelude, p := writeImage(t), program(`
		export const f = async () => {
			const found = [Math.random(), Math.random(), ...crypto.getRandomValues(new Uint32Array(4)), crypto.randomUUID()];
			if (crypto.subtle) {
				for (const [algorithm, uses] of [[{ name: "AES-GCM", length: 256 }, ["encrypt"]], [{ name: "HMAC", hash: "SHA-256" }, ["sign"]]]) {
					found.push(new Uint8Array(await crypto.subtle.exportKey("raw", await crypto.subtle.generateKey(algorithm, true, uses))).join("-"));
				}
				for (const algorithm of [{ name: "ECDSA", namedCurve: "P-256" }, { name: "Ed25519" }]) {
					const { privateKey } = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
					found.push((await crypto.subtle.exportKey("jwk", privateKey)).d);
				}
			}
			return found.map(String);
		};`)
	image := life(t, prelude, p, InstanceImage, func(b *bench) { b.must("f", "") })
	seen := map[string]int{}
	for step := range 4 {
		b := begin(t, prelude, from(image, p, step+1))
		wantRestored(t, b)
		for _, s := range strings.Split(b.must("f", ""), ",") {
			if old, ok := seen[s]; ok {
				t.Errorf("restores %d and %d both drew %s", old, step, s)
			}
			seen[s] = step
		}
		b.end()
	}
	if len(seen) < 4*7 {
		t.Errorf("only %d random values were drawn", len(seen))
	}
}

// Modules that are imported after a restore come from the package.
func TestImportAfterRestore(t *testing.T) {
	for _, kind := range []ImageKind{ReadyImage, InstanceImage} {
		t.Run(kind.String(), func(t *testing.T) {
			prelude, p := writeImage(t), program("")
			p.Files = files("app.js", `
				import { early } from "./early.js";
				export const f = async () => [early(), (await import("./late.js")).late, (await import("./early.js")).early === early,
					(await import("./data.json", { with: { type: "json" } })).default.x, await import("./none.js").catch((e) => e.name)];`,
				"early.js", `let n = 0; export const early = () => ++n;`,
				"late.js", `import { early } from "./early.js"; export const late = early();`,
				"data.json", `{"x": 5}`)
			image := life(t, prelude, p, kind, nothing)
			b := restored(t, prelude, image, p)
			if got, want := b.must("f", ""), `[1,2,true,5,"ReferenceError"]`; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// One ready image serves many instances at once.
func TestReadyImage(t *testing.T) {
	prelude, p := writeImage(t), program(`
		console.log("evaluated", mp.appId);
		console.warn("twice");
		const table = Array.from({ length: 1e5 }, (_, i) => ({ i }));
		let n = 0;
		export const f = () => [++n, table[77777].i, Math.random() < 1, performance.now() < 60000, Date.now() > 1.7e12, new Date().getTime() > 1.7e12];`)
	image := life(t, prelude, p, ReadyImage, nothing)
	for range 3 {
		b := begin(t, prelude, from(image, p, 1))
		wantRestored(t, b)
		if got, want := b.must("f", ""), `[1,77777,true,true,true,true]`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got, want := b.logs.String(), "info evaluated com.example.test\nwarn twice"; got != want {
			t.Errorf("logged:\n%s, want\n%s", got, want)
		}
		var impure *ImpureError
		if err := b.suspendTo(ReadyImage, memory(t)); err == nil || errors.As(err, &impure) {
			t.Errorf("a ready image of a ready image: %v", err)
		}
		b.end()
	}
}

func TestImpure(t *testing.T) {
	prelude := writeImage(t)
	const random, clock, host = "its evaluation used random numbers", "its evaluation read the clock", "its evaluation asked the host"
	for source, want := range map[string]string{
		`Math.random()`: random,
		`crypto.getRandomValues(new Uint8Array(1))`:  random,
		`crypto.randomUUID()`:                        random,
		`Date.now()`:                                 clock,
		`new Date()`:                                 clock,
		`Date()`:                                     clock,
		`Reflect.construct(Date, [], Object)`:        clock,
		`new (class extends Date {})`:                clock,
		`Date.call(null, 0)`:                         clock,
		`performance.now()`:                          clock,
		`performance.timeOrigin`:                     clock,
		`await new Promise((r) => setTimeout(r, 1))`: clock,
		`const c = new CompressionStream("gzip"); c.readable.getReader().read(); await c.writable.getWriter().write(new Uint8Array(9))`: "its evaluation left a compression stream open",
		`mp.request("echo", 1).catch(() => 0)`:                                     host,
		`await mp.request("echo", 1)`:                                              host,
		`for (let i = 0; i < 200; i++) console.log("x".repeat(1000))`:              "its evaluation logged too much",
		`try { const a = []; for (;;) a.push(new Uint8Array(1 << 20)); } catch {}`: "its evaluation reached the limit of its heap",

		`new Date(0); new Date(2020, 1, 1); Date.UTC(2020); Date.parse("2020-01-01T00:00:00Z"); new Date("2020").toISOString()`: "",
		`Math.max(1, 2); [1, 2].sort(); structuredClone({}); new Map([[1, 2]]); "x".localeCompare("y"); JSON.stringify({})`:     "",
		`await null; await Promise.all([1, Promise.resolve(2)]); new AbortController(); new EventTarget()`:                      "",
	} {
		t.Run(source, func(t *testing.T) {
			b := begin(t, prelude, program(source+"; export const f = () => 1;"))
			defer b.end()
			err := b.suspendTo(ReadyImage, memory(t))
			var impure *ImpureError
			switch {
			case want == "" && err != nil:
				t.Errorf("got %v, want an image", err)
			case want != "" && (!errors.As(err, &impure) || impure.Reason != want):
				t.Errorf("got %v, want %q", err, want)
			}
			if err != nil && b.must("f", "") != "1" {
				t.Error("the program does not go on")
			}
		})
	}
}

// What ran since the evaluation is not in a ready image.
func TestReadyTooLate(t *testing.T) {
	b := begin(t, writeImage(t), program(`export const f = () => 1`))
	defer b.end()
	b.must("f", "")
	if err := b.suspendTo(ReadyImage, memory(t)); err == nil || !strings.Contains(err.Error(), "has gone on") {
		t.Errorf("got %v", err)
	}
}

func TestSuspendRefuses(t *testing.T) {
	prelude := writeImage(t)
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	for name, c := range map[string]struct {
		prelude *os.File
		kind    ImageKind
		file    *os.File
		want    string
	}{
		"without the prelude's image": {nil, InstanceImage, memory(t), "the prelude was not mapped"},
		"another kind":                {prelude, 3, memory(t), "is no kind of image"},
		"a full file":                 {prelude, InstanceImage, full, "cannot write the image"},
	} {
		t.Run(name, func(t *testing.T) {
			b := begin(t, c.prelude, program(`export const f = () => 1`))
			defer b.end()
			if err := b.suspendTo(c.kind, c.file); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if got := b.must("f", ""); got != "1" {
				t.Errorf("the program does not go on: %s", got)
			}
		})
	}
}

// A turn that does not end is waited for no longer than the context says.
func TestSuspendWaitsForTheTurn(t *testing.T) {
	b := begin(t, writeImage(t), program(`export const spin = () => { console.log("here"); const end = Date.now() + 300; while (Date.now() < end); return 1; }`))
	defer b.end()
	answered := make(chan error, 1)
	b.Call(context.Background(), "spin", nil, func(_ []byte, err error) { answered <- err })
	for b.logs.String() == "" {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	done := make(chan error, 1)
	b.Suspend(ctx, InstanceImage, memory(t), func(err error) { done <- err })
	if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err := <-answered; err != nil {
		t.Errorf("the call ended with %v", err)
	}
	if err := b.suspendTo(InstanceImage, memory(t)); err != nil {
		t.Errorf("a later suspension: %v", err)
	}
}

// resealed corrects the checksum of what edit changed.
func resealed(edit func(b []byte)) func(b []byte) []byte {
	return func(b []byte) []byte {
		edit(b)
		length := deltaHeader + int(binary.LittleEndian.Uint32(b[184:]))*spanSize + int(binary.LittleEndian.Uint32(b[188:]))
		if length <= len(b) {
			binary.LittleEndian.PutUint64(b[192:], deltaSum(b[:length]))
		}
		return b
	}
}

// An image that does not fit is no error that a user sees.
func TestProgramImageThatDoesNotFit(t *testing.T) {
	prelude, p := writeImage(t), program(`let n = 0; export const f = () => ++n;`)
	p.Digest = [32]byte{1}
	image := life(t, prelude, p, InstanceImage, func(b *bench) { b.must("f", "") })
	good, err := os.ReadFile(fmt.Sprintf("/proc/self/fd/%d", image.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	spans, le := deltaHeader, binary.LittleEndian
	same := func(b []byte) []byte { return b }
	offset := roundUp(deltaHeader + int(le.Uint32(good[184:]))*spanSize + int(le.Uint32(good[188:])))
	for _, c := range []struct {
		want   string // "" is restored
		edit   func(b []byte) []byte
		change func(p *engine.Program)
	}{
		{"", same, func(p *engine.Program) {}},
		{"the image is empty", func([]byte) []byte { return nil }, nil},
		{"not the image of a program", func(b []byte) []byte { return b[:100] }, nil},
		{"not the image of a program", func(b []byte) []byte { b[0]++; return b }, nil},
		{"format version differs", resealed(func(b []byte) { b[8]++ }), nil},
		{"no such kind", resealed(func(b []byte) { b[12] = 3 }), nil},
		{"no such kind", resealed(func(b []byte) { b[13] = 1 }), nil},
		{"address differs", resealed(func(b []byte) { b[17]++ }), nil},
		{"architecture differs", resealed(func(b []byte) { b[33]++ }), nil},
		{"build ID differs", resealed(func(b []byte) { b[50]++ }), nil},
		{"another prelude", resealed(func(b []byte) { b[144]++ }), nil},
		{"another package", resealed(func(b []byte) { b[152]++ }), nil},
		{"another package", same, func(p *engine.Program) { p.Digest[31]++ }},
		{"another program", same, func(p *engine.Program) { p.AppID = "com.example.other" }},
		{"another program", same, func(p *engine.Program) { p.Entry = "other.js" }},
		{"image is damaged", func(b []byte) []byte { b[153]++; b[152]--; b[192]++; return b }, nil},
		{"image is damaged", func(b []byte) []byte { b[spans+4]++; return b }, nil},
		{"state is not readable", resealed(func(b []byte) { le.PutUint32(b[188:], le.Uint32(b[188:])-1) }), nil},
		{"size is wrong", func(b []byte) []byte { return b[:len(b)-1] }, nil},
		{"size is wrong", func(b []byte) []byte { return append(b, 0) }, nil},
		{"size is wrong", func(b []byte) []byte { return b[:300] }, nil},
		{"size is wrong", resealed(func(b []byte) { le.PutUint32(b[148:], maxPages+1) }), nil},
		{"size is wrong", resealed(func(b []byte) { le.PutUint32(b[184:], maxSpans+1) }), nil},
		{"size is wrong", resealed(func(b []byte) { le.PutUint32(b[188:], 1<<31) }), nil},
		{"size is wrong", resealed(func(b []byte) { le.PutUint32(b[spans+4:], 0) }), nil},
		{"lie where none can be", resealed(func(b []byte) { le.PutUint32(b[spans:], 1) }), nil},
		{"lie where none can be", resealed(func(b []byte) { le.PutUint32(b[spans+spanSize:], 0) }), nil},
		{"lie where none can be", resealed(func(b []byte) { le.PutUint32(b[spans+spanSize:], 1<<31) }), nil},
		{"lie where none can be", resealed(func(b []byte) { le.PutUint32(b[spans+spanSize:], heapPage-1) }), nil},
		{"lie where none can be", resealed(func(b []byte) { le.PutUint32(b[148:], 1) }), nil},
		{"contradicts itself", resealed(func(b []byte) { b[offset]++ }), nil},
		{"contradicts itself", resealed(func(b []byte) { le.PutUint32(b[148:], le.Uint32(b[148:])+1) }), nil},
	} {
		t.Run(c.want, func(t *testing.T) {
			f := memory(t)
			if _, err := f.Write(c.edit(append([]byte(nil), good...))); err != nil {
				t.Fatal(err)
			}
			next := from(f, p, 1)
			if c.change != nil {
				c.change(&next)
			}
			const source = `let n = 0; export const f = () => ++n;`
			next.Files = files("app.js", source, "other.js", source)
			b := begin(t, prelude, next)
			defer b.end()
			wantLoaded, wantCount := "evaluated: ", "1"
			if c.want == "" {
				wantLoaded, wantCount = "restored", "2"
			}
			if got := b.Loaded(); !strings.HasPrefix(got, wantLoaded) || !strings.Contains(got, c.want) {
				t.Errorf("the program was %q, want %q", got, wantLoaded+c.want)
			}
			if got := b.must("f", ""); got != wantCount {
				t.Errorf("got %s, want %s", got, wantCount)
			}
		})
	}
	t.Run("no prelude image", func(t *testing.T) {
		b := begin(t, nil, from(image, p, 1))
		defer b.end()
		if got := b.Loaded(); got != "evaluated: the prelude was not mapped from its image" {
			t.Error(got)
		}
	})
}

// Another stack would end recursions elsewhere.
func TestReadyImageOfAnotherStack(t *testing.T) {
	prelude, p := writeImage(t), program(`export const f = () => 1`)
	image := life(t, prelude, p, ReadyImage, nothing)
	p.Stack = 1 << 20
	b := begin(t, prelude, from(image, p, 1))
	defer b.end()
	if got := b.Loaded(); got != "evaluated: the image was made with another stack" {
		t.Error(got)
	}
}

func FuzzDelta(f *testing.F) {
	d := delta{kind: InstanceImage, base: 1, pages: 9, spans: []span{{0, 3}, {heapPage, 2}}, state: state{App: "a", Lines: []line{{"info", "x"}}}}
	b, err := d.marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:deltaHeader])
	f.Fuzz(func(t *testing.T, b []byte) {
		file := memory(t)
		defer file.Close()
		if len(b) >= deltaHeader {
			b = resealed(func([]byte) {})(b)
		}
		if _, err := file.Write(b); err != nil {
			t.Skip(err)
		}
		d, offset, err := readDelta(file)
		if err != nil {
			return
		}
		if int64(len(b)) != offset+d.count()*pageSize {
			t.Errorf("%d bytes, of which %d are before %d pages", len(b), offset, d.count())
		}
		if checkSpans(d.spans, 64, d.pages) != nil {
			return
		}
		last := uint32(0)
		for i, s := range d.spans {
			if i > 0 && s.page < last || s.page+s.count > 64 && (s.page < heapPage || s.page+s.count > heapPage+d.pages) {
				t.Errorf("span %+v after %d with %d pages", s, last, d.pages)
			}
			last = s.page + s.count
		}
	})
}
