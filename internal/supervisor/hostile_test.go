package supervisor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

// idle is a worker that does nothing until it is killed.
func idle(w *fakeWorker) launch.Exited {
	<-w.killed
	return launch.Exited{}
}

// opened is a worker that shakes hands, and then does something.
func opened(do func(w *fakeWorker, conn *ipc.Conn)) func(*fakeWorker) launch.Exited {
	return func(w *fakeWorker) launch.Exited {
		conn := w.open(handlerFunc(func(context.Context, wire.Method, []byte) ([]byte, error) { select {} }))
		if conn == nil {
			return launch.Exited{Code: codeChannelGone}
		}
		do(w, conn)
		return idle(w)
	}
}

// sends is a worker that seals itself, and then sends what it may not.
func sends(bodies ...[]byte) func(*fakeWorker) launch.Exited {
	return opened(func(_ *fakeWorker, conn *ipc.Conn) {
		for _, b := range bodies {
			conn.Notify(context.Background(), b)
		}
	})
}

func body(m wire.Method, v wire.Message) []byte {
	b, err := wire.Marshal(m, v)
	if err != nil {
		panic(err)
	}
	return b
}

var (
	sealedBody = body(wire.MethodSealed, sealed)
	logBody    = body(wire.MethodLog, &wire.Log{Lines: []wire.LogLine{{Level: "info", Text: "x"}}})
	endingBody = body(wire.MethodEnding, &wire.Ending{Cause: mp.CauseExited})
)

// Whatever a worker does before it is ready, the start fails with a reason,
// nothing is left of it, and a neighbour goes on.
func TestHostileStart(t *testing.T) {
	garbage := []byte(strings.Repeat("garbage", 100))
	tests := []struct {
		name  string
		play  func(*fakeWorker) launch.Exited
		cause mp.Cause // of the worker's end
		say   string   // in the error
	}{
		{"garbage for a handshake", func(w *fakeWorker) launch.Exited { w.channel.Write(garbage); return idle(w) }, mp.CauseProtocol, "rule of"},
		{"half a handshake", func(w *fakeWorker) launch.Exited {
			w.channel.Write(garbage[:1])
			w.shutdown(unix.SHUT_WR)
			return idle(w)
		}, mp.CauseKilled, "channel"},
		{"channel closed at once", func(w *fakeWorker) launch.Exited {
			w.shutdown(unix.SHUT_RDWR)
			return idle(w)
		}, mp.CauseKilled, "channel"},
		{"exits at once", func(*fakeWorker) launch.Exited { return launch.Exited{Code: 5} }, mp.CauseExited, "exited with code 5"},
		{"crashes at once", func(w *fakeWorker) launch.Exited {
			w.stderr.WriteString("panic: bad image\n\ngoroutine 1")
			return launch.Exited{Code: codeCrashed}
		}, mp.CauseExited, "panic: bad image"},
		{"killed by its filter", func(*fakeWorker) launch.Exited { return launch.Exited{Signal: int(unix.SIGSYS), Syscall: "ptrace"} }, mp.CauseSeccomp, "seccomp: ptrace"},
		{"first message a log line", sends(logBody), mp.CauseProtocol, "message 17 in phase 0"},
		{"first message empty", sends(nil), mp.CauseProtocol, "without a method"},
		{"first message unknown", sends([]byte{99}), mp.CauseProtocol, "message 99"},
		{"a request for a notification", sends([]byte{byte(wire.MethodBoot), 0xa0}), mp.CauseProtocol, "message 1"},
		{"sealed is not CBOR", sends([]byte{byte(wire.MethodSealed), 0xff, 0xff}), mp.CauseProtocol, "cannot decode"},
		{"sealed with a trailing byte", sends(append(slices.Clone(sealedBody), 0)), mp.CauseProtocol, "cannot decode"},
		{"sealed twice", sends(sealedBody, sealedBody), mp.CauseProtocol, "message 16 in phase"},
		{"makes a call", opened(func(_ *fakeWorker, conn *ipc.Conn) { conn.Call(context.Background(), []byte{1}) }), mp.CauseProtocol, "made a call in phase 0"},
		{"claims what is not its to claim", sends(sealedBody, []byte("\x12\xa1\x01\x72killed by operator")), mp.CauseProtocol, "cause"},
		{"ends instead of sealing", func(w *fakeWorker) launch.Exited {
			if conn := w.open(nil); conn != nil {
				conn.Notify(context.Background(), endingBody)
				conn.Close()
			}
			return launch.Exited{}
		}, mp.CauseExited, "exited with code 0"},
	}
	before := openFDs(t)
	r := newRig(t)
	neighbour := r.mustStart()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			defer r.lend(t)()
			r.launcher.next(tt.play)
			res, err := r.start()
			if err == nil {
				if e := r.exit(res.GetId()); e.Cause != tt.cause {
					t.Errorf("it started, and ended: %v", e)
				}
				return
			}
			var failure *control.Error
			if !errors.As(err, &failure) || failure.Exit == nil || failure.Exit.Cause != tt.cause {
				t.Fatalf("error %v, want one about %s", err, tt.cause)
			}
			if whole := err.Error() + failure.Exit.String(); !strings.Contains(whole, tt.say) {
				t.Errorf("error %q does not say %q", whole, tt.say)
			}
			kinds := slices.DeleteFunc(r.kinds(string(failure.ID)), func(k string) bool { return k == eventFault })
			slices.Sort(kinds)
			if !slices.Equal(kinds, []string{eventEnded, eventStartFailed, eventStarted}) {
				t.Errorf("events %v", kinds)
			}
			r.alive(neighbour)
		})
	}
	r.stop()
	if err := <-r.ran; err != nil {
		t.Error(err)
	}
	r.ran <- nil
	r.client.Close()
	settleFDs(t, before)
}

func TestNeverReady(t *testing.T) {
	for name, play := range map[string]func(*fakeWorker) launch.Exited{
		"no handshake": idle,
		"no Sealed":    opened(func(*fakeWorker, *ipc.Conn) {}),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(c *Config) { c.Version = impatient })
			r.launcher.next(play)
			_, err := r.start()
			if err == nil || !strings.Contains(err.Error(), "too long") && !strings.Contains(err.Error(), "deadline") {
				t.Errorf("error %v", err)
			}
		})
	}
}

// No lock may be off, absent, or unknown to be on.
func TestLocks(t *testing.T) {
	all := allLocks()
	for _, l := range all {
		r := newRig(t)
		for name, locks := range map[string][]launch.Lock{
			"off":    withLock(all, launch.Lock{Name: l.Name, Want: "on", Found: "off"}),
			"absent": slices.DeleteFunc(slices.Clone(all), func(x launch.Lock) bool { return x.Name == l.Name }),
		} {
			r.launcher.next(honest)
			r.launcher.set(nil, locks)
			_, err := r.start()
			if !errors.Is(err, mp.ErrMissing) || !strings.Contains(err.Error(), l.Name) {
				t.Errorf("%s %s: error %v", l.Name, name, err)
			}
		}
	}
	r := newRig(t)
	r.launcher.set(nil, nil)
	if _, err := r.start(); !errors.Is(err, mp.ErrMissing) {
		t.Errorf("no lock at all: error %v", err)
	}
	r.launcher.next(honest)
	if _, err := r.start(); err != nil {
		t.Errorf("control run with every lock: %v", err)
	}
}

func withLock(all []launch.Lock, l launch.Lock) []launch.Lock {
	out := slices.Clone(all)
	for i := range out {
		if out[i].Name == l.Name {
			out[i] = l
		}
	}
	return out
}

// A lock that the worker itself finds missing is named as well.
func TestWorkerMissesLock(t *testing.T) {
	r := newRig(t)
	r.launcher.next(func(w *fakeWorker) launch.Exited {
		w.open(nil)
		w.stderr.WriteString(`mpworker: lock "landlock" is missing: not in this kernel` + "\n")
		return launch.Exited{Code: codeMissing}
	})
	_, err := r.start()
	if !errors.Is(err, mp.ErrMissing) || !strings.Contains(err.Error(), "landlock") {
		t.Errorf("error %v", err)
	}
	r.launcher.set(fmt.Errorf("%w: user namespace: switched off", mp.ErrMissing), nil)
	if _, err := r.start(); !errors.Is(err, mp.ErrMissing) || !strings.Contains(err.Error(), "user namespace") {
		t.Errorf("error %v", err)
	}
}

// onBoot is a worker that answers Boot so.
func onBoot(answer func(w *fakeWorker, conn *ipc.Conn) ([]byte, error)) func(*fakeWorker) launch.Exited {
	return scripted(func(w *fakeWorker, conn *ipc.Conn, _ wire.Method, _ []byte) ([]byte, error) { return answer(w, conn) })
}

// What ends a program while its module is evaluated is told as its exit.
func TestEndsInBoot(t *testing.T) {
	tests := []struct {
		name string
		play func(*fakeWorker) launch.Exited
		want mp.Exit
	}{
		{"mp.exit(3)", onBoot(func(_ *fakeWorker, conn *ipc.Conn) ([]byte, error) {
			say(conn, wire.MethodEnding, &wire.Ending{Cause: mp.CauseExited, Code: 3})
			return nil, &exitNow{Code: 3}
		}), mp.Exit{Cause: mp.CauseExited, Code: 3}},
		{"memory limit", onBoot(func(*fakeWorker, *ipc.Conn) ([]byte, error) {
			return nil, &exitNow{Signal: 9, OOM: true}
		}), mp.Exit{Cause: mp.CauseMemoryLimit, Signal: 9}},
		{"lies about a crash", onBoot(func(_ *fakeWorker, conn *ipc.Conn) ([]byte, error) {
			say(conn, wire.MethodEnding, &wire.Ending{Cause: mp.CauseExited})
			return nil, &exitNow{Signal: int(unix.SIGSEGV)}
		}), mp.Exit{Cause: mp.CauseMemoryViolation, Signal: 11, Fault: mp.FaultUnknown}},
		{"never answers", onBoot(func(*fakeWorker, *ipc.Conn) ([]byte, error) { select {} }),
			mp.Exit{Cause: mp.CauseCallLimit, Signal: 9}},
		{"says that it ends, and stays", onBoot(func(_ *fakeWorker, conn *ipc.Conn) ([]byte, error) {
			say(conn, wire.MethodEnding, &wire.Ending{Cause: mp.CauseExited, Code: 4})
			select {}
		}), mp.Exit{Cause: mp.CauseExited, Code: 4, Signal: 9}},
		{"answer that is not CBOR", onBoot(func(*fakeWorker, *ipc.Conn) ([]byte, error) { return []byte{0xff}, nil }),
			mp.Exit{Cause: mp.CauseProtocol, Signal: 9}},
		{"empty answer", onBoot(func(*fakeWorker, *ipc.Conn) ([]byte, error) { return nil, nil }),
			mp.Exit{Cause: mp.CauseProtocol, Signal: 9}},
		{"huge answer", onBoot(func(*fakeWorker, *ipc.Conn) ([]byte, error) { return hugeBooted(), nil }),
			mp.Exit{Cause: mp.CauseProtocol, Signal: 9}},
		{"closes its channel and stays", onBoot(func(_ *fakeWorker, conn *ipc.Conn) ([]byte, error) {
			conn.Close()
			select {}
		}), mp.Exit{Cause: mp.CauseExited, Code: codeChannelGone}},
		{"something after its last word", onBoot(func(_ *fakeWorker, conn *ipc.Conn) ([]byte, error) {
			conn.Notify(context.Background(), endingBody)
			conn.Notify(context.Background(), logBody)
			select {}
		}), mp.Exit{Cause: mp.CauseProtocol, Signal: 9}},
	}
	r := newRig(t)
	neighbour := r.mustStart()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			defer r.lend(t)()
			r.launcher.next(tt.play)
			res, err := r.client.Start(context.Background(), &controlpb.StartRequest{
				Digest: r.digest, Limits: &controlpb.Limits{CallTimeout: durationpb.New(100 * time.Millisecond)},
			})
			if err != nil {
				t.Fatal(err)
			}
			got := control.DecodeExit(res.GetExit())
			got.Detail = ""
			if tt.want.Code == codeChannelGone { // its channel ended, by its own doing
				tt.want.Cause = mp.CauseSupervisorGone
			}
			if got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
			r.alive(neighbour)
		})
	}
}

// hugeBooted is a Booted with more exports than allowed, and then some.
func hugeBooted() []byte {
	b := []byte{0xa1, 0x01, 0x99, 0xff, 0xff} // {1: array of 65,535
	for range 65535 {
		b = append(b, 0x61, 'x')
	}
	return b
}

func TestModuleThrows(t *testing.T) {
	r := newRig(t)
	r.launcher.next(onBoot(func(_ *fakeWorker, conn *ipc.Conn) ([]byte, error) {
		say(conn, wire.MethodLog, &wire.Log{Lines: []wire.LogLine{{Level: "warn", Text: "before"}}})
		return encoded(&wire.Booted{Error: &mp.GuestError{Name: "TypeError", Message: "no", Stack: "at app.js:1"}})
	}))
	_, err := r.start()
	var guest *mp.GuestError
	var failure *control.Error
	if !errors.Is(err, mp.ErrBadPackage) || !errors.As(err, &guest) || guest.Stack != "at app.js:1" || !errors.As(err, &failure) {
		t.Fatalf("error %v", err)
	}
	if e := failure.Exit; e == nil || e.Cause != mp.CauseExited || e.Code != 1 {
		t.Errorf("exit %v", e)
	}
	if lines := r.lines(string(failure.ID)); !slices.Equal(lines, []string{"warn before"}) {
		t.Errorf("lines %q", lines)
	}
}
