package js

import (
	"strings"
	"testing"
)

// TestDependentSignalsGo holds that a signal that lives long keeps nothing of
// those that AbortSignal.any made of it and nobody waits for.
func TestDependentSignalsGo(t *testing.T) {
	notUnderRace(t)
	p := program(`const c = new AbortController();
		export async function f() {
			for (let i = 0; i < 200; i++) {
				for (let j = 0; j < 500; j++) AbortSignal.any([c.signal]);
				await new Promise((resolve) => setTimeout(resolve));
			}
			let heard = 0;
			AbortSignal.any([c.signal]).onabort = () => heard++;
			c.abort();
			return heard;
		}`)
	p.Heap = 6 << 20
	b, err := start(t, p)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.must("f", ""); got != "1" {
		t.Errorf("got %s", got)
	}
}

// TestMoreRejectionsThanListed holds that what one turn rejects above the
// list's bound is counted, and that the program can go on.
func TestMoreRejectionsThanListed(t *testing.T) {
	b := mustStart(t, `let n = 0; addEventListener("unhandledrejection", (e) => { n++; e.preventDefault(); });
		export const f = () => { for (let i = 0; i < 1000; i++) Promise.reject(i); };
		export const count = () => n;`)
	b.must("f", "")
	if got := b.must("count", ""); got != "256" {
		t.Errorf("listeners heard of %s rejections", got)
	}
	if got := b.logs.String(); got != "error and 744 more promises were rejected and not handled" {
		t.Errorf("logged %q", got)
	}
}

// TestEventsFromAnImage holds that what the prelude keeps for events is part of
// its image, and that no program finds what another left.
func TestEventsFromAnImage(t *testing.T) {
	const app = `const log = [];
		addEventListener("error", (e) => { log.push(e.message); e.preventDefault(); });
		addEventListener("unhandledrejection", (e) => { log.push(e.reason); e.preventDefault(); });
		addEventListener("rejectionhandled", (e) => log.push("handled " + e.reason));
		const turn = () => new Promise((r) => setTimeout(r, 2));
		export async function f() {
			const { port1, port2 } = new MessageChannel(), p = Promise.reject("r");
			port2.onmessage = (e) => log.push(structuredClone(e.data).a);
			port1.postMessage({ a: "message" });
			setTimeout(() => { throw new Error("thrown"); });
			await turn();
			p.catch(() => {});
			await turn();
			await turn();
			return [...log, new DOMException("m", "AbortError").code, atob("YQ=="), navigator.userAgent.split("/")[0]].sort().join();
		}`
	const want = `"20,Uncaught Error: thrown,a,handled r,message,mpsupervisor,r"`
	image := writeImage(t)
	for range 2 {
		if got := serveFrom(t, image, 1, app, "mapped"); got != want {
			t.Errorf("from the image: %s, want %s", got, want)
		}
	}
	if got := serveFrom(t, nil, 1, app, "evaluated"); got != want {
		t.Errorf("evaluated: %s, want %s", got, want)
	}
}

// TestShownExceptions holds how the log shows a DOMException.
func TestShownExceptions(t *testing.T) {
	b := mustStart(t, `export const f = () => { const e = new DOMException("m", "AbortError"); console.log(e); console.log(new DOMException()); };`)
	b.must("f", "")
	got := b.logs.String()
	for _, want := range []string{"info DOMException [AbortError]: m\n    at f (app.js:1:", "info DOMException [Error]"} {
		if !strings.Contains(got, want) {
			t.Errorf("logged %q, want %q in it", got, want)
		}
	}
	if strings.Contains(got, "(mp:") {
		t.Errorf("logged the prelude's own frames: %q", got)
	}
}
