package js

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// tell tells of a moment and returns what the program saved.
func (b *bench) tell(ctx context.Context, typ mp.EventType, page, detail string) (string, error) {
	b.t.Helper()
	type answer struct {
		saved []byte
		err   error
	}
	c := make(chan answer, 1)
	b.Event(ctx, engine.Event{Type: typ, Page: page, Detail: []byte(detail)}, func(saved []byte, err error) { c <- answer{saved, err} })
	a := <-c
	return string(a.saved), a.err
}

func (b *bench) mustTell(typ mp.EventType, page, detail string) string {
	b.t.Helper()
	saved, err := b.tell(b.t.Context(), typ, page, detail)
	if err != nil {
		b.t.Fatalf("%s: %v", typ, err)
	}
	return saved
}

// seen is a program that notes every event.
const seen = `
	const list = [];
	const note = (name) => (e) => list.push(name + " " + e.type + (e.isTrusted ? "" : " untrusted"));
	for (const t of ["launched", "shown", "hidden", "unloaded"]) mp.addEventListener(t, note("mp"));
	for (const p of ["a", "b"])
		for (const t of ["loaded", "ready", "shown", "hidden", "unloaded"]) mp.page(p).addEventListener(t, note(p));
	export const take = () => list.splice(0).join();
	export const visible = () => [mp.visible, mp.page("a").visible, mp.page("b").visible].join();`

func TestLifecycle(t *testing.T) {
	b := mustStart(t, seen)
	for _, step := range []struct {
		typ           mp.EventType
		page          string
		want, visible string
	}{
		{mp.EventLaunched, "", "mp launched", "false,false,false"},
		{mp.EventShown, "", "mp shown", "true,false,false"},
		{mp.EventShown, "", "", "true,false,false"},
		{mp.EventShown, "a", "a loaded,a ready,a shown", "true,true,false"},
		{mp.EventShown, "a", "", "true,true,false"},
		{mp.EventShown, "b", "a hidden,b loaded,b ready,b shown", "true,false,true"},
		{mp.EventShown, "a", "b hidden,a shown", "true,true,false"},
		{mp.EventHidden, "", "a hidden,mp hidden", "false,false,false"},
		{mp.EventShown, "", "mp shown,a shown", "true,true,false"},
		{mp.EventHidden, "a", "a hidden", "true,false,false"},
		{mp.EventHidden, "", "mp hidden", "false,false,false"},
		{mp.EventShown, "b", "mp shown,b shown", "true,false,true"},
		{mp.EventUnloaded, "", "b hidden,mp hidden,a unloaded,b unloaded,mp unloaded", "false,false,false"},
	} {
		b.mustTell(step.typ, step.page, "")
		if got := b.must("take", ""); got != `"`+step.want+`"` {
			t.Errorf("%s %s: %s, want %s", step.typ, step.page, got, step.want)
		}
		if got := b.must("visible", ""); got != `"`+step.visible+`"` {
			t.Errorf("%s %s: visible are %s, want %s", step.typ, step.page, got, step.visible)
		}
	}
}

func TestLaunched(t *testing.T) {
	for detail, want := range map[string]string{
		"": `[null,false]`, `{"state":{"a":[1]},"restored":false}`: `[{"a":[1]},false]`, `{"restored":true}`: `[null,true]`,
	} {
		b := mustStart(t, `let got; mp.onlaunched = (e) => { got = [e.state, e.restored]; }; export const f = () => got;`)
		b.mustTell(mp.EventLaunched, "", detail)
		if out := b.must("f", ""); out != want {
			t.Errorf("%s: %s", detail, out)
		}
		b.cancel()
		<-b.run
		b.Close()
	}
}

// What an event was made to wait for is waited for, also what came late.
func TestWaitUntil(t *testing.T) {
	b := mustStart(t, `
		let done = "", kept;
		mp.addEventListener("shown", (e) => {
			kept = e;
			e.waitUntil((async () => {
				await new Promise((r) => setTimeout(r, 5));
				done += "first ";
				e.waitUntil(mp.request("echo", 1).then(() => { done += "second"; }));
			})());
			e.waitUntil(5);
			e.waitUntil(Promise.reject(new Error("no")));
		});
		export const f = () => done;
		export const late = () => { try { kept.waitUntil(1); } catch (e) { return e.name; } };`)
	b.mustTell(mp.EventShown, "", "")
	if got := b.must("f", ""); got != `"first second"` {
		t.Error(got)
	}
	if got := b.must("late", ""); got != `"InvalidStateError"` {
		t.Error(got)
	}
	if log := b.logs.String(); !strings.Contains(log, "Uncaught Error: no") {
		t.Errorf("log: %s", log)
	}
}

// A program that keeps an event open is given up on, and lives.
func TestWaitUntilNever(t *testing.T) {
	b := mustStart(t, `mp.onshown = (e) => e.waitUntil(new Promise(() => {})); export const f = () => 1;`)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := b.tell(ctx, mp.EventShown, "", ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if got := b.must("f", ""); got != "1" {
		t.Error(got)
	}
}

func TestSave(t *testing.T) {
	b := mustStart(t, `
		let value;
		export const set = (v) => { value = v; };
		export const big = (n) => { value = "é".repeat(n); };
		export const tried = () => error;
		let error;
		mp.onhibernate = (e) => {
			error = undefined;
			try { if (value !== undefined) e.save(value); } catch (x) { error = [x.name, x.message]; }
		};`)
	if got := b.mustTell(mp.EventHibernate, "", ""); got != "" {
		t.Errorf("nothing saved: %s", got)
	}
	b.must("set", `{"cart":[1,"é"]}`)
	if got := b.mustTell(mp.EventHibernate, "", ""); got != `{"cart":[1,"é"]}` {
		t.Errorf("saved %s", got)
	}
	b.must("big", `131071`)
	if got := b.mustTell(mp.EventHibernate, "", ""); len(got) != wire.MaxState {
		t.Errorf("the most: %d bytes; %s", len(got), b.must("tried", ""))
	}
	b.must("big", `131072`)
	if got := b.mustTell(mp.EventHibernate, "", ""); got != "" {
		t.Errorf("too much: saved %d bytes", len(got))
	}
	if got := b.must("tried", ""); got != `["QuotaExceededError","save: the state is 262146 bytes of JSON; the limit is 262144"]` {
		t.Error(got)
	}
}

// What handlers throw is logged, and stops neither the others nor the event.
func TestHandlerThrows(t *testing.T) {
	b := mustStart(t, `
		let n = 0;
		mp.addEventListener("shown", () => { throw new Error("oh"); });
		mp.addEventListener("shown", () => { n++; });
		export const f = () => n;`)
	b.mustTell(mp.EventShown, "", "")
	if got := b.must("f", ""); got != "1" {
		t.Error(got)
	}
	if log := b.logs.String(); !strings.Contains(log, "Uncaught Error: oh") {
		t.Errorf("log: %s", log)
	}
}

func TestErrorEvent(t *testing.T) {
	b := mustStart(t, `
		const got = [];
		mp.onerror = (e) => { got.push(e.message, e.error.message, e.lineno); if (e.error.message !== "logged") e.preventDefault(); };
		export const late = (m) => { setTimeout(() => { throw new Error(m); }); };
		export const rejected = (m) => { Promise.reject(new Error(m)); };
		export const f = () => got.splice(0);`)
	b.must("late", `"one"`)
	b.must("rejected", `"two"`)
	b.must("late", `"logged"`)
	for got := "[]"; ; got = b.must("f", "") {
		if strings.Contains(got, "logged") {
			break
		}
	}
	if log := b.logs.String(); strings.Contains(log, "one") || strings.Contains(log, "two") || !strings.Contains(log, "Uncaught Error: logged") {
		t.Errorf("log: %s", log)
	}
}

// Handlers that do not end, or end the program, end it.
func TestEventEnds(t *testing.T) {
	for body, cause := range map[string]mp.Cause{
		"for (;;);":  mp.CauseCallLimit,
		"mp.exit(3)": mp.CauseExited,
	} {
		p := program(`mp.onshown = () => { ` + body + ` };`)
		p.Turn = 50 * time.Millisecond
		b, err := start(t, p)
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.tell(t.Context(), mp.EventShown, "", "")
		wantExit(t, err, cause)
		wantExit(t, b.ended(), cause)
		b.Close()
	}
}

func TestPages(t *testing.T) {
	for expression, want := range map[string]string{
		`mp.page("a") === mp.page("a")`:                                                 `true`,
		`mp.page("a").path`:                                                             `"a"`,
		`mp.page("a") instanceof EventTarget`:                                           `true`,
		`mp instanceof EventTarget`:                                                     `true`,
		`String(mp) + String(mp.page("a"))`:                                             `"[object MiniApp][object Page]"`,
		`(() => { try { mp.page("") } catch (e) { return e.name } })()`:                 `"TypeError"`,
		`(() => { try { mp.page("é".repeat(513)) } catch (e) { return e.message } })()`: `"mp.page: the path is 1026 bytes; the limit is 1024"`,
		`(() => { try { for (let i = 0; ; i++) mp.page("p" + i) } catch (e) { return e.message } })()`: `"mp.page: there are 256 pages already, which is the limit"`,
		`Object.isFrozen(mp)`: `true`,
		`Object.keys(mp)`:     `["appId","visible","exit","page","request"]`,
	} {
		t.Run(expression, func(t *testing.T) {
			if got := eval(t, expression); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}
