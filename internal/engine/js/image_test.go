package js

import (
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// preludeImage is made once: the race detector makes that take a minute. The
// file has no name any more.
var preludeImage = sync.OnceValues(func() (*os.File, error) {
	f, err := os.CreateTemp("", "prelude-image")
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name())
	return f, WriteImage(f)
})

// sharedImage returns the prelude's image, which is not to be written to. No
// Engine may be open.
func sharedImage(t testing.TB) *os.File {
	t.Helper()
	f, err := preludeImage()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// imageSize is how many bytes the prelude takes of the heap.
func imageSize(t testing.TB) int64 {
	t.Helper()
	st, err := sharedImage(t).Stat()
	if err != nil {
		t.Fatal(err)
	}
	return st.Size()
}

// writeImage returns the prelude's image in a file of the test's own.
func writeImage(t testing.TB) *os.File {
	t.Helper()
	shared := sharedImage(t)
	f, err := os.Create(filepath.Join(t.TempDir(), "image"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := io.Copy(f, io.NewSectionReader(shared, 0, 1<<40)); err != nil {
		t.Fatal(err)
	}
	return f
}

// serveFrom runs one program in an engine over image, closes it, and returns
// what f gave.
func serveFrom(t *testing.T, image *os.File, seed byte, app, wantHow string) string {
	t.Helper()
	var out string
	t.Run("instance", func(t *testing.T) {
		b := open(t, image)
		if !strings.Contains(b.Image(), wantHow) {
			t.Fatalf("the engine was %q, want %q", b.Image(), wantHow)
		}
		p := program(app)
		p.Seed = [32]byte{seed}
		if err := b.serve(p); err != nil {
			t.Fatal(err)
		}
		out = b.must("f", "")
	})
	return out
}

func TestImageServesManyInstances(t *testing.T) {
	image := writeImage(t)
	if err := CheckImage(image); err != nil {
		t.Fatal(err)
	}
	const app = `
		class P { #x = 1; get x() { return this.#x; } }
		const m = new Map([[1, new P()]]);
		globalThis.mark = (globalThis.mark ?? 0) + 1; // must not be there the next time
		export async function f() {
			await new Promise((r) => setTimeout(r, 1));
			try { null.x } catch (e) { var s = e.stack }
			return [globalThis.mark, m.get(1).x, /a(b)/.exec("ab")[1], [3, 1, 2].toSorted(), s.length > 10, performance.now() < 60000, Date.now() > 1.7e12];
		}`
	for range 3 {
		if got, want := serveFrom(t, image, 1, app, "mapped"), `[1,1,"b",[1,2,3],true,true,true]`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestInstancesDoNotShareRandomness(t *testing.T) {
	image := writeImage(t)
	const app = `export const f = () => [Math.random(), Math.random(), ...crypto.getRandomValues(new Uint32Array(4)), crypto.randomUUID()].join()`
	a, b := serveFrom(t, image, 1, app, "mapped"), serveFrom(t, image, 2, app, "mapped")
	if a == b {
		t.Errorf("two instances of one image gave the same random values: %s", a)
	}
	if again := serveFrom(t, image, 1, app, "mapped"); again != a {
		t.Errorf("the same seed gave\n%s, then\n%s: there is another source", a, again)
	}
	if evaluated := serveFrom(t, nil, 1, app, "evaluated: no image was given"); evaluated != a {
		t.Errorf("without the image the seed gave\n%s, want\n%s", evaluated, a)
	}
}

func TestImageThatDoesNotFit(t *testing.T) {
	good, err := os.ReadFile(writeImage(t).Name())
	if err != nil {
		t.Fatal(err)
	}
	resum := func(b []byte) {
		binary.LittleEndian.PutUint32(b[148:], headerSum(b[:148]))
	}
	for _, c := range []struct {
		want string
		edit func(b []byte) []byte
	}{
		{"the image is empty", func([]byte) []byte { return nil }},
		{"not a heap image", func(b []byte) []byte { b[0]++; return b }},
		{"not a heap image", func(b []byte) []byte { return b[:100] }},
		{"header is damaged", func(b []byte) []byte { b[60]++; return b }},
		{"format version differs", func(b []byte) []byte { b[8]++; resum(b); return b }},
		{"address differs", func(b []byte) []byte { b[17]++; resum(b); return b }},
		{"architecture differs", func(b []byte) []byte { b[33]++; resum(b); return b }},
		{"build ID differs", func(b []byte) []byte { b[50]++; resum(b); return b }},
		{"size is wrong", func(b []byte) []byte { return b[:len(b)-1] }},
		{"size is wrong", func(b []byte) []byte { b[12]++; resum(b); return b }},
		{"size is wrong", func(b []byte) []byte { b[15] = 0xff; resum(b); return b }},
	} {
		t.Run(c.want, func(t *testing.T) {
			f, err := os.Create(filepath.Join(t.TempDir(), "image"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := f.Write(c.edit(append([]byte(nil), good...))); err != nil {
				t.Fatal(err)
			}
			serveFrom(t, f, 1, `export const f = () => 1`, c.want)
			if err := CheckImage(f); err == nil {
				t.Error("CheckImage found nothing wrong")
			}
		})
	}
}

func TestCheckImageFindsDamage(t *testing.T) {
	f := writeImage(t)
	var b [1]byte
	if _, err := f.ReadAt(b[:], 100000); err != nil {
		t.Fatal(err)
	}
	b[0]++
	if _, err := f.WriteAt(b[:], 100000); err != nil {
		t.Fatal(err)
	}
	if err := CheckImage(f); err == nil {
		t.Error("one byte was changed, and CheckImage found nothing")
	}
}

func FuzzHeader(f *testing.F) {
	h := header{pages: 7, sum: 9}
	b, err := h.marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var got header
		if got.unmarshal(b) != nil {
			return
		}
		if again, err := got.marshal(); err != nil || string(again) != string(b[:headerSize]) {
			t.Errorf("%+v does not make the header that it was read from", got)
		}
	})
}

func BenchmarkMapImage(b *testing.B) {
	image := writeImage(b)
	for b.Loop() {
		e, err := New(noHost{}, image)
		if err != nil {
			b.Fatal(err)
		}
		e.Close()
	}
}

func BenchmarkEvaluatePrelude(b *testing.B) {
	for b.Loop() {
		e, err := New(noHost{}, nil)
		if err != nil {
			b.Fatal(err)
		}
		e.Close()
	}
}
