package wire

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// examples holds one message of each kind with every member set.
func examples() map[Method]Message {
	threw := &mp.GuestError{Name: "TypeError", Message: "x is not a function", Stack: "at f (app.js:3:1)"}
	return map[Method]Message{
		MethodSealed:  &Sealed{Locks: []string{"seccomp"}, Landlock: 7, Image: "mapped"},
		MethodBoot:    &Boot{AppID: "com.example.loan", Entry: "app.js", Seed: [32]byte{1, 2}, UnixNano: 3, Heap: 4, TurnMillis: 5, ResultBytes: 6, LogRate: 7},
		MethodSignal:  &Signal{Number: 15},
		MethodHeap:    &Heap{Bytes: 54 << 20},
		MethodEvent:   &Event{Type: mp.EventShown, Page: "pages/a", Detail: []byte(`{}`)},
		MethodAsk:     &Ask{Method: "app", Params: []byte(`[1]`)},
		MethodSuspend: &Suspend{Kind: mp.ImageInstance},
		108:           &Suspended{Refused: "impure"},
		MethodBegin:   &Begin{},
		109:           wasmBoot(&Wasm{Args: []string{"-v"}, TmpBytes: 1 << 20, TmpFiles: 16, Compile: true}),
		MethodCall:    &Call{Name: "payment", Input: []byte(`{"a":1}`)},
		MethodLog:     &Log{Lines: []LogLine{{Level: "warn", UnixNano: 1, Text: "héllo"}}, Dropped: 3},
		MethodEnding:  &Ending{Cause: mp.CauseMemoryViolation, Code: 3, Fault: mp.FaultNull, Detail: "heap"},
		100:           &Booted{Exports: []string{"a", "b"}, Error: threw},
		102:           &Done{},
		103:           &Ending{Cause: mp.CauseSignal, Signal: 15},
		104:           nativeBoot(&Native{Args: []string{"sh", "-c", "id"}, Env: []string{"TERM=xterm", "EMPTY="}, Dir: "/tmp", Stdio: true, TTY: true}),
		105:           &EventDone{Result: []byte(`{"a":1}`)},
		106:           &Answer{Result: []byte(`null`)},
		107:           &Answer{Error: &mp.AskError{Code: mp.AskNotFound, Message: "no method"}},
		101:           &Reply{Output: []byte("1"), Error: threw, NotFound: true, TooLarge: 9},
	}
}

// nativeBoot is a Boot whose other members are in order.
func nativeBoot(n *Native) *Boot {
	return &Boot{AppID: "com.example.tool", Entry: "root/bin/tool", Heap: 1, TurnMillis: 1, ResultBytes: 1, IPCRate: 1000, Native: n}
}

func wasmBoot(w *Wasm) *Boot {
	return &Boot{AppID: "com.example.tool", Entry: "app.wasm", Heap: 1, TurnMillis: 1, ResultBytes: 1, IPCRate: 1000, Wasm: w}
}

func fresh(m Message) Message {
	return reflect.New(reflect.TypeOf(m).Elem()).Interface().(Message)
}

func TestRoundTrip(t *testing.T) {
	for method, m := range examples() {
		b, err := Marshal(method, m)
		if err != nil {
			t.Fatalf("%T: %v", m, err)
		}
		gotMethod, body, err := Split(b)
		if err != nil || gotMethod != method {
			t.Fatalf("%T: split gives %d, %v", m, gotMethod, err)
		}
		got := fresh(m)
		if err := Unmarshal(body, got); err != nil {
			t.Fatalf("%T: %v", m, err)
		}
		if !reflect.DeepEqual(got, m) {
			t.Errorf("%T: got %+v, want %+v", m, got, m)
		}
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	call, err := MarshalReply(&Call{Name: "f", Input: []byte("1")})
	if err != nil {
		t.Fatal(err)
	}
	deep := append(bytes.Repeat([]byte{0x81}, 5000), 0x01)
	for name, test := range map[string]struct {
		in   []byte
		into Message
	}{
		"nothing":           {nil, &Call{}},
		"cut off":           {call[:len(call)-1], &Call{}},
		"trailing bytes":    {append(bytes.Clone(call), 0), &Call{}},
		"unknown key":       {[]byte{0xa1, 0x18, 0x63, 0x01}, &Call{}},
		"duplicate key":     {[]byte{0xa2, 0x01, 0x61, 'f', 0x01, 0x61, 'g'}, &Call{}},
		"indefinite length": {[]byte{0xbf, 0x01, 0x61, 'f', 0xff}, &Call{}},
		"tag":               {[]byte{0xa1, 0x01, 0xc1, 0x61, 'f'}, &Call{}},
		"wrong type":        {[]byte{0xa1, 0x01, 0x05}, &Call{}},
		"bytes of 4 GiB":    {[]byte{0xa1, 0x02, 0x5a, 0xff, 0xff, 0xff, 0xff}, &Call{}},
		"array of 2^60":     {[]byte{0xa1, 0x01, 0x9b, 0x10, 0, 0, 0, 0, 0, 0, 0}, &Sealed{}},
		"5,000 levels":      {append([]byte{0xa1, 0x01}, deep...), &Sealed{}},
		"invalid UTF-8":     {[]byte{0xa1, 0x01, 0x61, 0xff}, &Call{}},
		"log level":         {encode(t, &Log{Lines: []LogLine{{Level: "loud"}}}), &Log{}},
		"cause not its own": {encode(t, &Ending{Cause: mp.CauseKilled}), &Ending{}},
		"cause not known":   {encode(t, &Ending{Cause: "bored"}), &Ending{}},
		"no signal":         {encode(t, &Signal{}), &Signal{}},
		"real-time signal":  {encode(t, &Signal{Number: 32}), &Signal{}},
		"no heap":           {encode(t, &Heap{}), &Heap{}},
		"negative heap":     {encode(t, &Heap{Bytes: -1}), &Heap{}},
		"cause, no signal":  {encode(t, &Ending{Cause: mp.CauseSignal}), &Ending{}},
		"signal, no cause":  {encode(t, &Ending{Cause: mp.CauseExited, Signal: 9}), &Ending{}},
		"signal 65":         {encode(t, &Ending{Cause: mp.CauseSignal, Signal: 65}), &Ending{}},
		"done with a key":   {[]byte{0xa1, 0x01, 0x01}, &Done{}},
		"no /tmp":           {encode(t, wasmBoot(&Wasm{})), &Boot{}},
		"zero byte":         {encode(t, wasmBoot(&Wasm{Args: []string{"a\x00"}, TmpBytes: 1, TmpFiles: 1})), &Boot{}},
		"event not known":   {encode(t, &Event{Type: "born"}), &Event{}},
		"long page":         {encode(t, &Event{Type: mp.EventShown, Page: strings.Repeat("x", MaxPage+1)}), &Event{}},
		"large detail":      {encode(t, &Event{Type: mp.EventLaunched, Detail: make([]byte, MaxDetail+1)}), &Event{}},
		"large state":       {encode(t, &EventDone{Result: make([]byte, MaxState+1)}), &EventDone{}},
		"no method":         {encode(t, &Ask{}), &Ask{}},
		"long method":       {encode(t, &Ask{Method: strings.Repeat("x", MaxName+1)}), &Ask{}},
		"large params":      {encode(t, &Ask{Method: "a", Params: make([]byte, MaxParams+1)}), &Ask{}},
		"no answer":         {encode(t, &Answer{}), &Answer{}},
		"two answers":       {encode(t, &Answer{Result: []byte("1"), Error: &mp.AskError{Code: "failed"}}), &Answer{}},
		"large answer":      {encode(t, &Answer{Result: make([]byte, MaxParams+1)}), &Answer{}},
		"error, no code":    {encode(t, &Answer{Error: &mp.AskError{}}), &Answer{}},
		"error code":        {encode(t, &Answer{Error: &mp.AskError{Code: "Not Found"}}), &Answer{}},
		"exit code":         {encode(t, &Ending{Cause: mp.CauseExited, Code: 256}), &Ending{}},
		"long line":         {encode(t, &Log{Lines: []LogLine{{Level: "info", Text: strings.Repeat("x", MaxLogText+1)}}}), &Log{}},
		"many lines":        {encode(t, &Log{Lines: make([]LogLine, MaxLogLines+1)}), &Log{}},
	} {
		if err := Unmarshal(test.in, test.into); err == nil {
			t.Errorf("%s: accepted as %+v", name, test.into)
		}
	}
}

// What is wrong with a native program's start is refused; the first row is in
// order.
func TestNativeRefuses(t *testing.T) {
	many := slices.Repeat([]string{"a=b"}, MaxArgs+1)
	for name, test := range map[string]struct {
		n  Native
		ok bool
	}{
		"in order":             {Native{Args: []string{"a", ""}, Env: []string{"A=", "B==b"}, Dir: "/d", Stdio: true, TTY: true}, true},
		"as many as there may": {Native{Args: many[1:], Env: many[1:]}, true},
		"as long as it may be": {Native{Args: []string{strings.Repeat("a", MaxArgText-2)}}, true},
		"no arguments":         {Native{}, false},
		"no name":              {Native{Args: []string{""}}, false},
		"many arguments":       {Native{Args: many}, false},
		"many variables":       {Native{Args: []string{"a"}, Env: many}, false},
		"long":                 {Native{Args: []string{"a", strings.Repeat("a", MaxArgText)}}, false},
		"long together":        {Native{Args: slices.Repeat([]string{strings.Repeat("a", MaxArgText/4)}, 4)}, false},
		"zero byte":            {Native{Args: []string{"a", "b\x00c"}}, false},
		"zero byte in dir":     {Native{Args: []string{"a"}, Dir: "/\x00"}, false},
		"not UTF-8":            {Native{Args: []string{"a", "\xff"}}, false},
		"not a variable":       {Native{Args: []string{"a"}, Env: []string{"A"}}, false},
		"variable of no name":  {Native{Args: []string{"a"}, Env: []string{"=A"}}, false},
		"terminal alone":       {Native{Args: []string{"a"}, TTY: true}, false},
	} {
		if err := Unmarshal(encode(t, nativeBoot(&test.n)), &Boot{}); (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// encode encodes without the checks that Marshal makes.
func encode(t *testing.T, m Message) []byte {
	t.Helper()
	b, err := encoder.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMarshalRefusesItsOwnMistakes(t *testing.T) {
	for _, m := range []Message{
		&Call{Name: strings.Repeat("n", MaxName+1)},
		&Call{Input: make([]byte, MaxInput+1)},
		&Boot{},
		&Reply{Output: make([]byte, MaxResult+1)},
		&Log{Lines: []LogLine{{Level: "info", Text: "\xff"}}},
	} {
		if _, err := MarshalReply(m); err == nil {
			t.Errorf("%T accepted", m)
		}
	}
}

func TestBirth(t *testing.T) {
	b := Birth{Version: Version, Instance: "abc", Pid: 1, StartTime: 2, Policy: mp.Digest{3}, Secret: [32]byte{4}}
	p, err := MarshalBirth(b)
	if err != nil {
		t.Fatal(err)
	}
	if len(p) > MaxBirth {
		t.Fatalf("%d bytes", len(p))
	}
	got, err := UnmarshalBirth(p)
	if err != nil || got != b {
		t.Fatalf("got %+v, %v", got, err)
	}
	if bytes.Contains(b.Prologue(), b.Secret[:]) {
		t.Error("the prologue holds the secret")
	}
	for name, change := range map[string]func(*Birth){
		"version": func(b *Birth) { b.Version++ }, "pid": func(b *Birth) { b.Pid++ }, "start": func(b *Birth) { b.StartTime++ },
		"policy": func(b *Birth) { b.Policy[0]++ }, "instance": func(b *Birth) { b.Instance = "abd" },
	} {
		c := b
		change(&c)
		if bytes.Equal(c.Prologue(), b.Prologue()) {
			t.Errorf("%s is not bound by the prologue", name)
		}
	}
	for name, bad := range map[string]Birth{
		"version":  {Version: Version + 1, Instance: "a"},
		"instance": {Version: Version, Instance: "../x"},
	} {
		p, _ := MarshalBirth(bad)
		if _, err := UnmarshalBirth(p); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// FuzzUnmarshal checks that what decodes can be encoded again and comes back
// the same, for every kind of message.
func FuzzUnmarshal(f *testing.F) {
	for method, m := range examples() {
		b, err := Marshal(method, m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		method, body, err := Split(b)
		if err != nil {
			return
		}
		kind, ok := examples()[method]
		if !ok {
			return
		}
		m := fresh(kind)
		if Unmarshal(body, m) != nil {
			return
		}
		again, err := MarshalReply(m)
		if err != nil {
			t.Fatalf("decoded %+v cannot be encoded: %v", m, err)
		}
		back := fresh(kind)
		if err := Unmarshal(again, back); err != nil || !reflect.DeepEqual(m, back) {
			t.Fatalf("%+v came back as %+v, %v", m, back, err)
		}
	})
}
