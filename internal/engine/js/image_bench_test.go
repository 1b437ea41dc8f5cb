package js

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
)

// times collects durations and reports their median.
type times []time.Duration

func (t times) report(b *testing.B, what string) {
	slices.Sort(t)
	b.ReportMetric(float64(t[len(t)/2].Nanoseconds())/1e6, what+"-p50-ms")
}

// firstResult loads p in a blank engine over prelude and calls f. It returns the
// time from the blank engine to the result, and the engine.
func firstResult(b *testing.B, prelude *os.File, p engine.Program) (time.Duration, *Engine) {
	e, err := New(&logs{}, prelude)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	start := time.Now()
	if _, err := e.Load(ctx, p); err != nil {
		b.Fatal(err)
	}
	var took time.Duration
	e.Call(ctx, "f", nil, func(_ []byte, err error) {
		if took = time.Since(start); err != nil {
			b.Error(err)
		}
		cancel()
	})
	e.Run(ctx)
	return took, e
}

func benchmarkFirstResult(b *testing.B, prelude *os.File, p engine.Program, want string) {
	var all times
	for b.Loop() {
		took, e := firstResult(b, prelude, p)
		if !strings.HasPrefix(e.Loaded(), want) {
			b.Fatalf("the program was %q, want %q", e.Loaded(), want)
		}
		all = append(all, took)
		e.Close()
	}
	all.report(b, "result")
}

// BenchmarkFirstResult is from a blank engine, the prelude mapped, to the first
// result: of one function; of 5 KB and 1 MB of source, evaluated and restored.
func BenchmarkFirstResult(b *testing.B) {
	prelude := writeImage(b)
	for _, size := range []int{0, 5 << 10, 1 << 20} {
		p := program(bundle(size))
		b.Run(fmt.Sprintf("evaluated/%dK", size>>10), func(b *testing.B) {
			benchmarkFirstResult(b, prelude, p, "evaluated")
		})
		b.Run(fmt.Sprintf("ready/%dK", size>>10), func(b *testing.B) {
			image := life(b, prelude, p, ReadyImage, nothing)
			p.Image = image
			benchmarkFirstResult(b, prelude, p, "restored")
		})
	}
}

// bundle is a program of about size bytes: modules as a bundler leaves them.
func bundle(size int) string {
	var s strings.Builder
	s.WriteString("const modules = {}, define = (name, make) => { const exports = {}; make(exports, modules); modules[name] = exports; };\n")
	for i := 0; s.Len() < size; i++ {
		fmt.Fprintf(&s, `define("m%d", (exports, modules) => {
  class Item%[1]d { #price; constructor(name, price) { this.name = name; this.#price = price; } get total() { return this.#price * 1.19; } label(prefix = "item") { return prefix + ":" + this.name + "/" + this.total.toFixed(2); } }
  const table = { alpha: [1, 2, 3, "x%[1]d"], beta: { deep: { deeper: "text of entry %[1]d" } }, pattern: /^(\w+)-(\d+)$/u };
  function visit(node, depth = 0) { if (!node || depth > 9) return []; const out = []; for (const [key, value] of Object.entries(node)) out.push(key, ...(typeof value === "object" ? visit(value, depth + 1) : [value])); return out; }
  exports.Item = Item%[1]d; exports.table = table; exports.visit = visit; exports.first = new Item%[1]d("n%[1]d", %[1]d);
});
`, i)
	}
	s.WriteString("export const f = () => modules.m0?.first.label();\n")
	return s.String()
}

// hoard is a program with 1 MiB and more of live objects.
const hoard = `const kept = [];
for (let i = 0; i < 6000; i++) kept.push({ i, name: "item " + i, tags: [i, i + 1], f: () => i });
export const f = () => kept.length;`

// BenchmarkInstanceImage suspends a program with 1 MiB of live state and resumes
// it to its first result.
func BenchmarkInstanceImage(b *testing.B) {
	prelude, p := writeImage(b), program(hoard)
	var suspends, resumes times
	for b.Loop() {
		b1 := begin(b, prelude, p)
		b1.must("f", "")
		live, image := theRoot().heap.inUse-b1.base.header.pages, memory(b)
		start := time.Now()
		if err := b1.suspendTo(InstanceImage, image); err != nil {
			b.Fatal(err)
		}
		suspends = append(suspends, time.Since(start))
		b1.end()
		took, e := firstResult(b, prelude, from(image, p, 1))
		resumes = append(resumes, took)
		e.Close()
		st, err := image.Stat()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(st.Size())/(1<<20), "image-MiB")
		b.ReportMetric(float64(live)*pageSize/(1<<20), "live-MiB")
		image.Close()
	}
	suspends.report(b, "suspend")
	resumes.report(b, "resume")
}
