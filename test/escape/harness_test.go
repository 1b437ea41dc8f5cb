package escape

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/mpsupervisor/mpsupervisor/isolate/stage"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
	"github.com/mpsupervisor/mpsupervisor/seccomp/compile"
	"github.com/mpsupervisor/mpsupervisor/test/escape/attack"
)

// answerWithin is after how long a silent probe counts as broken.
const answerWithin = time.Minute

// probe is the path of the built probe.
var probe string

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	if os.Getuid() != 0 {
		fmt.Println("skipped: needs root, to start a worker")
		return 0
	}
	if err := stage.Enter(); err != nil { // as the launcher does
		fmt.Println(err)
		return 1
	}
	dir, err := os.MkdirTemp("", "escape-test-")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o711); err != nil { // a worker looks up its root in it
		fmt.Println(err)
		return 1
	}
	probe = filepath.Join(dir, "probe")
	build := exec.Command("go", "build", "-o", probe, "./probe")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Printf("cannot build the probe: %v\n%s", err, out)
		return 1
	}
	if err := openLauncher(dir); err != nil {
		fmt.Println(err)
		return 1
	}
	defer func() {
		if err := closeLauncher(); err != nil {
			fmt.Println(err)
		}
	}()
	return m.Run()
}

// session is a running probe.
type session struct {
	t       *testing.T
	code    string // of every request, see attack.Request
	channel *os.File
	answers *json.Decoder
	stderr  *tail
}

// spec is what a probe is started with, the same as a worker.
type spec struct {
	stderr *os.File
	files  []*os.File // descriptors 3 and up: channel, birth pipe, filter, image
}

// newSession starts a probe in the way that launch knows.
func newSession(t *testing.T, launch func(*testing.T, spec)) *session {
	t.Helper()
	return newSessionOf(t, seccomp.RoleJS, launch)
}

// newSessionOf starts one in the place of a worker that is held to a role's table.
func newSessionOf(t *testing.T, role seccomp.Role, launch func(*testing.T, spec)) *session {
	t.Helper()
	later, code := []byte(nil), ""
	if role == seccomp.RoleWasmRun {
		role, later, code = seccomp.RoleWasm, filterOf(t, role), attack.Loaded
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "channel"), os.NewFile(uintptr(pair[1]), "channel")
	if err := unix.SetNonblock(pair[1], false); err != nil {
		t.Fatal(err)
	}
	birth, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	r, stderr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	sp := spec{stderr: stderr, files: []*os.File{theirs, birth, memory(t, filterOf(t, role)), memory(t, later)}}
	launch(t, sp)
	for _, f := range append(sp.files, stderr) {
		f.Close()
	}
	log := new(tail)
	go log.follow(r)
	t.Cleanup(func() { ours.Close(); r.Close() })
	return &session{t, code, ours, json.NewDecoder(ours), log}
}

// filterOf is a role's filter in the form in which a probe gets it.
func filterOf(t *testing.T, role seccomp.Role) []byte {
	t.Helper()
	program, err := compile.Compile(role)
	if err != nil {
		t.Fatal(err)
	}
	return seccomp.Stack{{Program: program}}.Marshal()
}

// tail keeps what a probe said last. The text of a crash is long.
type tail struct {
	mu   sync.Mutex
	text string
}

func (l *tail) follow(r *os.File) {
	const enough = 600
	b := make([]byte, 4096)
	for {
		n, err := r.Read(b)
		l.mu.Lock()
		l.text += string(b[:n])
		l.text = l.text[max(0, len(l.text)-enough):]
		l.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.TrimSpace(l.text)
}

// memory makes a sealed file in memory.
func memory(t *testing.T, content []byte) *os.File {
	t.Helper()
	fd, err := unix.MemfdCreate("escape", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "memory")
	if _, err := f.Write(content); err != nil {
		t.Fatal(err)
	}
	const seals = unix.F_SEAL_WRITE | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		t.Fatal(err)
	}
	return f
}

// try has the probe make one attack.
func (s *session) try(r attack.Request, without ...lock.Name) attack.Outcome {
	s.t.Helper()
	o, err := s.ask(r, without)
	if err != nil {
		s.t.Fatalf("no answer from the probe to %+v: %v; %s", r, err, s.stderr)
	}
	if o.Failed != "" {
		s.t.Errorf("%+v could not be tried: %s", r, o.Failed)
	}
	return o
}

// ask is try for an attack that may end the probe as well: the error is then
// io.EOF, or of a connection that was reset.
func (s *session) ask(r attack.Request, without []lock.Name) (o attack.Outcome, err error) {
	r.Without = without
	if r.Code == "" {
		r.Code = s.code
	}
	line, err := json.Marshal(r)
	if err != nil {
		return o, err
	}
	s.channel.SetDeadline(time.Now().Add(answerWithin))
	if _, err := s.channel.Write(append(line, '\n')); err != nil {
		return o, err
	}
	err = s.answers.Decode(&o)
	return o, err
}
