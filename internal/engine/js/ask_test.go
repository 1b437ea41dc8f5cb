package js

import (
	"strings"
	"testing"
)

func TestRequest(t *testing.T) {
	b := mustStart(t, `
		const told = (p) => p.then((v) => ["is", v], (e) => [e instanceof Error, e.name, e.code, e.message]);
		export const echo = (x) => mp.request("echo", x);
		export const none = () => mp.request("echo").then((v) => typeof v);
		export const unknown = () => told(mp.request("nosuch"));
		export const denied = () => told(mp.request("fail", "no"));
		export const badParams = () => told(mp.request("log", { level: "loud", text: "" }));
		export const notString = () => told(mp.request(5));
		export const circular = () => { const a = {}; a.a = a; return told(mp.request("echo", a)); };
		export const noJSON = () => told(mp.request("echo", () => {}));
		export const large = () => told(mp.request("echo", "x".repeat(1 << 20)));
		export const longName = () => told(mp.request("x".repeat(257)));
		export const order = async () => {
			const seen = [];
			await Promise.all([1, 2, 3].map((n) => mp.request("echo", n).then((v) => seen.push(v))));
			return seen.sort();
		};
		export const many = () => {
			const all = [];
			for (let i = 0; i < 65; i++) all.push(mp.request("never"));
			return told(all[64]);
		};
		export const afterMany = () => told(mp.request("echo", 1));`)
	for _, c := range []struct{ name, input, want string }{
		{"echo", `{"a":[1,"\u00e9\ud83d\ude00"]}`, `{"a":[1,"é😀"]}`},
		{"echo", `null`, `null`},
		{"unknown", ``, `[true,"NotFoundError","not_found","no method nosuch"]`},
		{"denied", ``, `[true,"NotAllowedError","not_allowed","\"no\""]`},
		{"badParams", ``, `[true,"TypeError","invalid_params","params of log: level is not debug, info, warn or error"]`},
		{"notString", ``, `[true,"TypeError",null,"mp.request: the method is not a string, or empty"]`},
		{"noJSON", ``, `[true,"TypeError",null,"echo: the params cannot be JSON"]`},
		{"large", ``, `[true,"QuotaExceededError","too_large","echo: the params are 1048578 bytes of JSON; the limit is 1048576"]`},
		{"longName", ``, `[true,"TypeError",null,"mp.request: the name of a method has at most 256 bytes"]`},
		{"order", ``, `[1,2,3]`},
		{"many", ``, `[true,"QuotaExceededError","quota_exceeded","never: 64 requests to the host are under way, which is the limit"]`},
		{"afterMany", ``, `[true,"QuotaExceededError","quota_exceeded","echo: 64 requests to the host are under way, which is the limit"]`},
	} {
		if got := b.must(c.name, c.input); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if got := b.must("circular", ""); !strings.HasPrefix(got, `[true,"TypeError"`) {
		t.Errorf("circular: %s", got)
	}
}

// A program may wait for its host while its module is evaluated.
func TestRequestAtTop(t *testing.T) {
	b := mustStart(t, `const v = await mp.request("echo", 7); export const f = () => v;`)
	if got := b.must("f", ""); got != "7" {
		t.Error(got)
	}
}

// What a guest does to the globals does not reach how requests are made.
func TestRequestOnTamperedGlobals(t *testing.T) {
	b := mustStart(t, `
		const { request } = mp;
		const { then } = Promise.prototype;
		for (const name of ["get", "set", "delete", "has"]) Map.prototype[name] = () => { throw new Error("tampered"); };
		JSON.parse = JSON.stringify = () => "tampered";
		Object.prototype.code = "tampered";
		globalThis.Promise = globalThis.Error = function () { throw 1; };
		export async function f(x) { return await request("echo", x); }`)
	if got := b.must("f", `"x"`); got != `"x"` {
		t.Error(got)
	}
}

// Answers take turns with calls and timers; a loop of requests holds none up.
func TestRequestsTakeTurns(t *testing.T) {
	b := mustStart(t, `
		let on = true, ticks = 0;
		(async () => { while (on) await mp.request("echo", 1); })();
		setInterval(() => ticks++, 1);
		export const seen = () => ticks;
		export const stop = () => { on = false; };`)
	for {
		if b.must("seen", "") > "3" {
			break
		}
	}
	b.must("stop", "")
}
