package js

import (
	"strings"
	"testing"
)

func TestTimersOrder(t *testing.T) {
	b := mustStart(t, `
		export async function f() {
			const out = [];
			const at = (x) => () => out.push(x);
			setTimeout(at("c"), 20); setTimeout(at("a"), 1); setTimeout(at("b"), 1); setTimeout(at("zero"), 0);
			queueMicrotask(at("micro"));
			Promise.resolve().then(at("promise"));
			const gone = setTimeout(at("cleared"), 2); clearTimeout(gone); clearTimeout(gone); clearTimeout(undefined); clearTimeout({});
			let n = 0;
			const i = setInterval((x) => { out.push(x + n); if (++n === 3) clearInterval(i); }, 1, "i");
			setTimeout((a, b) => out.push(a + b), 5, 1, 2);
			await new Promise((r) => setTimeout(r, 40));
			return out;
		}
		export async function order() {
			const out = [];
			for (const d of [5, 3, 9, 1, 7, 1, 3]) setTimeout(() => out.push(d), d);
			const ids = [2, 4, 6].map((d) => setTimeout(() => out.push("bad"), d));
			ids.forEach(clearTimeout);
			await new Promise((r) => setTimeout(r, 30));
			return out;
		}
		export function bad() { try { setTimeout("code", 1) } catch (e) { return String(e) } }
	`)
	got := b.must("f", "")
	for _, want := range []string{`"micro","promise"`, `"a","b"`, `"i0"`, `"i1"`, `"i2"`, `3`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s has no %s", got, want)
		}
	}
	if strings.Contains(got, "cleared") || strings.Contains(got, "i3") || !strings.HasPrefix(got, `["micro"`) {
		t.Error(got)
	}
	if got, want := b.must("order", ""), "[1,1,3,3,5,7,9]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := b.must("bad", ""); got != `"TypeError: setTimeout: the callback is not a function"` {
		t.Error(got)
	}
}

func TestTimersAreBounded(t *testing.T) {
	b := mustStart(t, `export function f() { try { for (;;) setTimeout(() => {}, 1e9); } catch (e) { return String(e); } }`)
	if got, want := b.must("f", ""), `"RangeError: setTimeout: there are 10000 timers already"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
