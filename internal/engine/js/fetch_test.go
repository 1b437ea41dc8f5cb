package js

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// network is a host that grants one: it keeps what it was asked for and answers
// with the response that stands for the URL's path, a JSON object, or an error.
type network struct {
	logs
	responses map[string]string
	asked     chan fetchRequest
}

type fetchRequest struct {
	Method, URL, Redirect, Credentials, Cache, Body string
	Headers                                         [][2]string
}

func (n *network) Ask(_ context.Context, method string, params []byte, done func([]byte, error)) {
	var r fetchRequest
	if err := json.Unmarshal(params, &r); err != nil || method != "fetch" {
		done(nil, &mp.AskError{Code: mp.AskNotFound, Message: method})
		return
	}
	n.asked <- r
	path := strings.TrimPrefix(r.URL, "https://shop.example/")
	switch response, ok := n.responses[path]; {
	case path == "never":
	case !ok:
		done(nil, &mp.AskError{Code: mp.AskFailed, Message: "no route to " + path})
	default:
		done([]byte(response), nil)
	}
}

func startNetwork(t *testing.T, app string, responses map[string]string) (*bench, *network) {
	t.Helper()
	n := &network{responses: responses, asked: make(chan fetchRequest, 16)}
	e, err := New(n, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	b := &bench{t: t, Engine: e, logs: &n.logs, run: make(chan error, 1)}
	if err := b.serve(program(app)); err != nil {
		t.Fatal(err)
	}
	return b, n
}

const fetchApp = `
	const shown = async (r) => [r.type, r.status, r.statusText, r.url, r.redirected, [...r.headers], await r.text()];
	const told = (e) => [e.constructor.name, e.name, e.message];
	const at = (path) => "https://shop.example/" + path;
	export const get = ({ path, init }) => fetch(at(path), init).then(shown, told);
	export const immutable = async () => (await fetch(at("ok"))).headers.set("a", "1");
	export const stream = async () => {
		const body = new ReadableStream({ pull(c) { c.enqueue(new Uint8Array([104, 105])); c.close(); } });
		return (await fetch(at("ok"), { method: "POST", body, duplex: "half" })).status;
	};
	export const aborted = () => {
		const controller = new AbortController();
		setTimeout(() => controller.abort(), 1);
		return fetch(at("never"), { signal: controller.signal }).catch(told);
	};`

func TestFetch(t *testing.T) {
	const at = "https://shop.example/"
	b, n := startNetwork(t, fetchApp, map[string]string{
		"ok":       `{"url":"` + at + `ok","redirected":false,"status":200,"statusText":"OK","headers":[["B","2"],["a","1"],["b","3"],["Set-Cookie","c"]],"body":"aMOp"}`,
		"moved#x":  `{"url":"` + at + `new#x","redirected":true,"status":404,"statusText":"","headers":[]}`,
		"redirect": `{"url":"` + at + `redirect","redirected":false,"status":302,"statusText":"Found","headers":[["Location","/x"]]}`,
		"empty":    `{"url":"` + at + `empty","redirected":false,"status":204,"statusText":"","headers":[],"body":"aMOp"}`,
	})
	for _, c := range []struct{ input, want string }{
		{`{"path":"ok"}`, `["basic",200,"OK","` + at + `ok",false,[["a","1"],["b","2, 3"]],"hé"]`},
		{`{"path":"ok","init":{"method":"HEAD"}}`, `["basic",200,"OK","` + at + `ok",false,[["a","1"],["b","2, 3"]],""]`},
		{`{"path":"ok","init":{"mode":"no-cors"}}`, `["opaque",0,"","",false,[],""]`},
		{`{"path":"ok","init":{"integrity":"sha256-AAAA"}}`, `["TypeError","TypeError","fetch: the answer is not what integrity says: sha256-AAAA"]`},
		{`{"path":"moved#x"}`, `["basic",404,"","` + at + `new",true,[],""]`},
		{`{"path":"empty"}`, `["basic",204,"","` + at + `empty",false,[],""]`},
		{`{"path":"redirect","init":{"redirect":"manual"}}`, `["opaqueredirect",0,"","` + at + `redirect",false,[],""]`},
		{`{"path":"redirect","init":{"redirect":"error"}}`, `["TypeError","TypeError","fetch: the answer is a redirect"]`},
		{`{"path":"gone"}`, `["TypeError","TypeError","fetch: no route to gone"]`},
	} {
		if got := b.must("get", c.input); got != c.want {
			t.Errorf("%s: %s, want %s", c.input, got, c.want)
		}
		<-n.asked
	}
	if _, err := b.do(t.Context(), "immutable", ""); err == nil || !strings.Contains(err.Error(), "cannot be changed") {
		t.Errorf("headers of an answer: %v", err)
	}
}

// The host gets all that it needs for the request, and only what is permitted.
func TestFetchParams(t *testing.T) {
	b, n := startNetwork(t, fetchApp, map[string]string{"ok": `{"url":"","redirected":false,"status":200,"statusText":"","headers":[]}`})
	for _, c := range []struct {
		name, input string
		want        fetchRequest
	}{
		{"get", `{"path":"ok"}`, fetchRequest{Method: "GET", Redirect: "follow", Credentials: "same-origin", Cache: "default", Headers: [][2]string{{"Accept", "*/*"}}}},
		{"get", `{"path":"ok","init":{"method":"put","body":"hé","headers":{"X-Shop":"1","Host":"evil","accept":"a/b"},"redirect":"manual","credentials":"omit","cache":"no-store"}}`,
			fetchRequest{Method: "PUT", Redirect: "manual", Credentials: "omit", Cache: "no-store", Body: "aMOp",
				Headers: [][2]string{{"X-Shop", "1"}, {"accept", "a/b"}, {"Content-Type", "text/plain;charset=UTF-8"}}}},
		{"stream", ``, fetchRequest{Method: "POST", Redirect: "follow", Credentials: "same-origin", Cache: "default", Body: "aGk=", Headers: [][2]string{{"Accept", "*/*"}}}},
	} {
		b.must(c.name, c.input)
		c.want.URL = "https://shop.example/ok"
		if got := <-n.asked; !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.input, got, c.want)
		}
	}
}

// An abort does not wait for the host.
func TestFetchAborted(t *testing.T) {
	b, _ := startNetwork(t, fetchApp, nil)
	if got, want := b.must("aborted", ""), `["DOMException","AbortError","The operation was aborted"]`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// What grows without end in a body, a blob or a form ends by the heap's limit.
func TestFetchMemory(t *testing.T) {
	for name, code := range map[string]string{
		"body": `new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(65536)); } })).bytes()`,
		"tee":  `(() => { const r = new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(65536)); } })); r.clone(); return r.body.pipeTo(new WritableStream()); })()`,
		"blob": `(() => { for (let b = new Blob(["x"]); ;) b = new Blob([b, b]); })()`,
		"form": `(() => { const f = new FormData(); for (let i = 0; ; i++) f.append("name" + i, "value" + i); })()`,
	} {
		t.Run(name, func(t *testing.T) {
			b := mustStart(t, "export const f = () => "+code)
			if out, err := b.do(t.Context(), "f", ""); err == nil {
				t.Errorf("it returned %.100s", out)
			}
			wantExit(t, b.ended(), mp.CauseMemoryLimit)
		})
	}
}
