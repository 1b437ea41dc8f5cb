package supervisor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

// onCall is a worker that boots and answers calls so.
func onCall(answer func(w *fakeWorker, conn *ipc.Conn) ([]byte, error)) func(*fakeWorker) launch.Exited {
	return scripted(func(w *fakeWorker, conn *ipc.Conn, m wire.Method, _ []byte) ([]byte, error) {
		if m == wire.MethodBoot {
			return encoded(&wire.Booted{Exports: []string{"f"}})
		}
		return answer(w, conn)
	})
}

func reply(v *wire.Reply) func(*fakeWorker, *ipc.Conn) ([]byte, error) {
	return func(*fakeWorker, *ipc.Conn) ([]byte, error) { return encoded(v) }
}

func TestCallOutcomes(t *testing.T) {
	tests := []struct {
		name   string
		answer func(*fakeWorker, *ipc.Conn) ([]byte, error)
		is     error    // nil: none
		cause  mp.Cause // of the end; "" if the program lives on
	}{
		{"answers", reply(&wire.Reply{Output: []byte("[1]")}), nil, ""},
		{"throws", reply(&wire.Reply{Error: &mp.GuestError{Message: "m"}}), nil, ""},
		{"not found", reply(&wire.Reply{NotFound: true}), mp.ErrNotFound, ""},
		{"too large", reply(&wire.Reply{TooLarge: 9 << 20}), mp.ErrTooLarge, ""},
		{"no outcome", reply(&wire.Reply{}), mp.ErrEnded, mp.CauseProtocol},
		{"two outcomes", reply(&wire.Reply{Output: []byte("1"), NotFound: true}), mp.ErrEnded, mp.CauseProtocol},
		{"negative size", reply(&wire.Reply{TooLarge: -1}), mp.ErrEnded, mp.CauseProtocol},
		{"not JSON", reply(&wire.Reply{Output: []byte("{")}), mp.ErrEnded, mp.CauseProtocol},
		{"empty output", func(*fakeWorker, *ipc.Conn) ([]byte, error) { return []byte{0xa1, 0x01, 0x40}, nil }, mp.ErrEnded, mp.CauseProtocol},
		{"JSON that is not UTF-8", reply(&wire.Reply{Output: []byte("\"\xff\"")}), mp.ErrEnded, mp.CauseProtocol},
		{"not CBOR", func(*fakeWorker, *ipc.Conn) ([]byte, error) { return []byte("what?"), nil }, mp.ErrEnded, mp.CauseProtocol},
		{"never", func(*fakeWorker, *ipc.Conn) ([]byte, error) { select {} }, mp.ErrEnded, mp.CauseCallLimit},
		{"ends itself at the limit", func(_ *fakeWorker, conn *ipc.Conn) ([]byte, error) {
			time.Sleep(100 * time.Millisecond)
			say(conn, wire.MethodEnding, &wire.Ending{Cause: mp.CauseCallLimit, Detail: "its own"})
			return nil, &exitNow{Code: codeLimit}
		}, mp.ErrEnded, mp.CauseCallLimit},
		{"closes the channel mid-call", func(_ *fakeWorker, conn *ipc.Conn) ([]byte, error) {
			conn.Close()
			select {}
		}, mp.ErrEnded, mp.CauseSupervisorGone},
		{"dies mid-call", func(*fakeWorker, *ipc.Conn) ([]byte, error) { return nil, &exitNow{Signal: 9} }, mp.ErrEnded, mp.CauseSignal},
		{"mp.exit(0)", func(_ *fakeWorker, conn *ipc.Conn) ([]byte, error) {
			conn.Notify(context.Background(), endingBody)
			return nil, &exitNow{}
		}, mp.ErrEnded, mp.CauseExited},
	}
	r := newRig(t)
	neighbour := r.mustStart()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			defer r.lend(t)()
			r.launcher.next(onCall(tt.answer))
			res, err := r.client.Start(context.Background(), &controlpb.StartRequest{
				Digest: r.digest, Limits: &controlpb.Limits{CallTimeout: durationpb.New(100 * time.Millisecond)},
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.call(res.GetId(), "f", "")
			if !errors.Is(err, tt.is) {
				t.Errorf("error %v, want %v", err, tt.is)
			}
			if tt.cause == "" {
				if _, err := r.client.Kill(context.Background(), &controlpb.KillRequest{Id: res.GetId()}); err != nil {
					t.Error(err)
				}
				tt.cause = mp.CauseKilled
			}
			if e := r.exit(res.GetId()); e.Cause != tt.cause {
				t.Errorf("ended: %v, want %s", e, tt.cause)
			}
			r.alive(neighbour)
		})
	}
}

// A worker that ignores its rates loses lines, and its life if it goes on.
func TestFloods(t *testing.T) {
	many := &wire.Log{}
	for range wire.MaxLogLines {
		many.Lines = append(many.Lines, wire.LogLine{Level: "info", Text: strings.Repeat("x", 100)})
	}
	lines := body(wire.MethodLog, many)
	flood := func(b []byte, n int) func(*fakeWorker) launch.Exited {
		return onCall(func(_ *fakeWorker, conn *ipc.Conn) ([]byte, error) {
			for range n {
				if conn.Notify(context.Background(), b) != nil {
					select {}
				}
			}
			return encoded(&wire.Reply{Output: []byte("0")})
		})
	}
	r := newRig(t)
	neighbour := r.mustStart()

	r.launcher.next(flood(lines, 50))
	id := r.mustStart()
	if _, err := r.call(id, "f", ""); err != nil {
		t.Errorf("a flood of lines: %v", err)
	}
	res, err := r.client.Inspect(context.Background(), &controlpb.InspectRequest{Id: id})
	if err != nil {
		t.Fatal(err)
	}
	u := res.GetUsage()
	if u.GetLogLines()+u.GetLogDropped() != 50*wire.MaxLogLines || u.GetLogDropped() < 40*wire.MaxLogLines {
		t.Errorf("kept %d lines, dropped %d", u.GetLogLines(), u.GetLogDropped())
	}
	if n := len(slices.DeleteFunc(r.kinds(id), func(k string) bool { return k != eventLogDropped })); n != 1 {
		t.Errorf("%d events about dropped lines", n)
	}

	for name, play := range map[string]func(*fakeWorker) launch.Exited{
		"messages": flood(body(wire.MethodLog, &wire.Log{}), 30000),
		"bytes":    flood(body(wire.MethodLog, big()), 100),
	} {
		r.launcher.next(play)
		id := r.mustStart()
		if _, err := r.call(id, "f", ""); !errors.Is(err, mp.ErrEnded) {
			t.Errorf("a flood of %s: %v", name, err)
		}
		if e := r.exit(id); e.Cause != mp.CauseProtocol {
			t.Errorf("a flood of %s ended: %v", name, e)
		}
		r.alive(neighbour)
	}
}

// big is a Log of more than a megabyte.
func big() *wire.Log {
	m := &wire.Log{}
	for range 200 {
		m.Lines = append(m.Lines, wire.LogLine{Level: "info", Text: strings.Repeat("x", wire.MaxLogText)})
	}
	return m
}
