package image

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

var testOptions = Options{Ready: 4, ReadyBytes: 1 << 20}

func openStore(t testing.TB, dir string) *Store {
	t.Helper()
	s, lost, err := Open(dir, testOptions)
	if err != nil || lost != nil {
		t.Fatal(err, lost)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// reopened is the store after a restart.
func reopened(t testing.TB, s *Store, dir string) *Store {
	t.Helper()
	s.Close()
	return openStore(t, dir)
}

func privateDir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// memory is a sealed memory file.
func memory(t testing.TB, content string) *os.File {
	t.Helper()
	f, err := NewMemory("test")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(content); err != nil {
		t.Fatal(err)
	}
	if f, err = Seal(f); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func instance(id string) Instance {
	return Instance{
		ID: mp.InstanceID(id), App: "com.example.loan", Package: mp.Digest{1}, Build: "build", Limits: mp.DefaultLimits(),
		Born: time.Unix(1, 0).UTC(), Since: time.Unix(2, 0).UTC(), Calls: 3, Exports: []string{"a"},
	}
}

// keep hibernates a program.
func keep(t testing.TB, s *Store, in Instance, image, state string) Instance {
	t.Helper()
	d, err := s.Prepare(in, memory(t, "package"), int64(len(image))+1000)
	if err != nil {
		t.Fatal(err)
	}
	in, err = d.Keep(strings.NewReader(image), int64(len(image)), []byte(state))
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func content(t testing.TB, f *os.File) string {
	t.Helper()
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// exists reports whether there is a file in the store's directory.
func exists(dir string, name ...string) bool {
	_, err := os.Lstat(filepath.Join(dir, filepath.Join(name...)))
	return err == nil
}

// What was kept is there after a restart, and its image once.
func TestKeepAndTake(t *testing.T) {
	dir := privateDir(t)
	s := openStore(t, dir)
	image := strings.Repeat("heap page ", 20000)
	want := keep(t, s, instance("abc"), image, `{"a":1}`)
	s = reopened(t, s, dir)
	all := s.Instances()
	if len(all) != 1 || all[0].ID != "abc" || all[0].Image != int64(len(image)) || all[0].Limits != want.Limits || !all[0].Born.Equal(want.Born) {
		t.Fatalf("kept %+v", all)
	}
	pack, err := s.Package(want.Package)
	if err != nil || content(t, pack) != "package" {
		t.Fatalf("the package: %v", err)
	}
	f, state, err := s.Take("abc", "build")
	if err != nil || string(state) != `{"a":1}` {
		t.Fatalf("%q, %v", state, err)
	}
	if seals, err := unix.FcntlInt(f.Fd(), unix.F_GET_SEALS, 0); err != nil || seals&0xf != 0xf {
		t.Errorf("seals %#x, %v", seals, err)
	}
	if _, err := f.Write([]byte("x")); err == nil {
		t.Error("the image can be written to")
	}
	if content(t, f) != image {
		t.Error("another image came back")
	}
	if exists(dir, "instances", "abc.image") {
		t.Error("the image is still there")
	}
	for range 2 { // at once, and after a restart
		if f, state, err := s.Take("abc", "build"); f != nil || !isUnusable(err, "used before") || string(state) != `{"a":1}` {
			t.Errorf("taken twice: %v, %q, %v", f, state, err)
		}
		s = reopened(t, s, dir)
	}
	if err := s.Drop("abc"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Take("abc", "build"); !errors.Is(err, mp.ErrNotFound) {
		t.Errorf("after Drop: %v", err)
	}
	if exists(dir, "instances", "abc.state") || exists(dir, "packages", nameOf(want.Package)) {
		t.Error("files stay after Drop")
	}
}

func isUnusable(err error, reason string) bool {
	var u *UnusableError
	return errors.As(err, &u) && strings.Contains(u.Reason, reason)
}

// A package goes with the last program that needs it.
func TestPackageStaysWhileNeeded(t *testing.T) {
	dir := privateDir(t)
	s := openStore(t, dir)
	keep(t, s, instance("a"), "image", "")
	keep(t, s, instance("b"), "image", "")
	file := []string{"packages", nameOf(mp.Digest{1})}
	s.Drop("a")
	if !exists(dir, file...) {
		t.Fatal("gone with the first")
	}
	d, err := s.Prepare(instance("c"), memory(t, "package"), 10)
	if err != nil {
		t.Fatal(err)
	}
	s.Drop("b")
	if !exists(dir, file...) {
		t.Fatal("gone while one is being kept")
	}
	d.Abandon()
	if exists(dir, file...) || exists(dir, "instances", "c.image.tmp") {
		t.Error("stays after the last")
	}
}

func TestOtherBuild(t *testing.T) {
	s := openStore(t, privateDir(t))
	keep(t, s, instance("a"), "image", "state")
	if f, state, err := s.Take("a", "another"); f != nil || !isUnusable(err, "another build") || string(state) != "state" {
		t.Errorf("%v, %q, %v", f, state, err)
	}
}

// What is done to a file while nobody looks is refused, and the program's own
// state is still there.
func TestTamperedImage(t *testing.T) {
	read := func(t *testing.T, path string) []byte {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, tamper := range map[string]func(t *testing.T, dir string, old []byte) (file string, b []byte){
		"as it was": func(t *testing.T, dir string, _ []byte) (string, []byte) { return "a.image", read(t, dir+"/a.image") },
		"a bit": func(t *testing.T, dir string, _ []byte) (string, []byte) {
			b := read(t, dir+"/a.image")
			b[len(b)/2] ^= 1
			return "a.image", b
		},
		"cut off": func(t *testing.T, dir string, _ []byte) (string, []byte) {
			b := read(t, dir+"/a.image")
			return "a.image", b[:len(b)-1]
		},
		"empty":           func(t *testing.T, dir string, _ []byte) (string, []byte) { return "a.image", nil },
		"another app's":   func(t *testing.T, dir string, _ []byte) (string, []byte) { return "a.image", read(t, dir+"/b.image") },
		"another kind":    func(t *testing.T, dir string, _ []byte) (string, []byte) { return "a.image", read(t, dir+"/a.state") },
		"its earlier one": func(t *testing.T, dir string, old []byte) (string, []byte) { return "a.image", old },
		"the ready image": func(t *testing.T, dir string, _ []byte) (string, []byte) {
			return "a.image", read(t, dir+"/../ready/"+nameOf(mp.Digest{1}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := privateDir(t)
			s := openStore(t, dir)
			if err := s.KeepReady("com.example.loan", mp.Digest{1}, "build", memory(t, "image2")); err != nil {
				t.Fatal(err)
			}
			keep(t, s, instance("a"), "image1", "")
			old := read(t, filepath.Join(dir, "instances", "a.image"))
			if f, _, err := s.Take("a", "build"); err != nil || content(t, f) != "image1" {
				t.Fatal(err)
			}
			s.Drop("a")
			keep(t, s, instance("a"), "image2", "saved")
			other := instance("b")
			other.App = "com.example.other"
			keep(t, s, other, "image2", "saved")
			s.Close()
			file, b := tamper(t, filepath.Join(dir, "instances"), old)
			if err := os.WriteFile(filepath.Join(dir, "instances", file), b, 0o600); err != nil {
				t.Fatal(err)
			}
			s = openStore(t, dir)
			f, state, err := s.Take("a", "build")
			if string(state) != "saved" {
				t.Errorf("saved %q", state)
			}
			if name == "as it was" {
				if err != nil || content(t, f) != "image2" {
					t.Error(err)
				}
				return
			}
			if f != nil || !isUnusable(err, "not the one that was kept") {
				t.Errorf("%v, %v", f, err)
			}
		})
	}
}

// A state that was tampered with is not handed out, whatever the image is.
func TestTamperedState(t *testing.T) {
	dir := privateDir(t)
	s := openStore(t, dir)
	keep(t, s, instance("a"), "image", "saved")
	os.WriteFile(filepath.Join(dir, "instances", "a.state"), make([]byte, 100), 0o600)
	os.Remove(filepath.Join(dir, "instances", "a.image"))
	if f, state, err := s.Take("a", "build"); f != nil || state != nil || !isUnusable(err, "the state that the program saved") {
		t.Errorf("%v, %q, %v", f, state, err)
	}
}

// A registry that was put back, or changed, is not believed: not with the image
// that it speaks of either.
func TestRegistryPutBack(t *testing.T) {
	dir := privateDir(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	s := openStore(t, dir)
	keep(t, s, instance("a"), "image", "")
	keep(t, s, instance("b"), "image", "")
	saved := map[string][]byte{}
	for _, name := range []string{"registry", "counter", "instances/a.image"} {
		b, err := os.ReadFile(at(name))
		if err != nil {
			t.Fatal(err)
		}
		saved[name] = b
	}
	f, _, err := s.Take("a", "build")
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	s.Drop("a")
	s.Close()
	now := map[string][]byte{}
	for name := range saved {
		now[name], _ = os.ReadFile(at(name))
	}
	for name, change := range map[string]func(){
		"put back":          func() { os.WriteFile(at("registry"), saved["registry"], 0o600) },
		"counter put back":  func() { os.WriteFile(at("counter"), saved["counter"], 0o600) },
		"removed":           func() { os.Remove(at("registry")) },
		"counter removed":   func() { os.Remove(at("counter")) },
		"a bit":             func() { b := bytes.Clone(now["registry"]); b[60] ^= 1; os.WriteFile(at("registry"), b, 0o600) },
		"one for the other": func() { os.WriteFile(at("registry"), now["counter"], 0o600) },
		"key removed":       func() { os.Remove(at("key")) },
	} {
		key, _ := os.ReadFile(at("key"))
		os.WriteFile(at("instances/a.image"), saved["instances/a.image"], 0o600)
		change()
		s, lost, err := Open(dir, testOptions)
		if err != nil || lost == nil || len(s.Instances()) > 0 {
			t.Fatalf("%s: %v, %v, %v", name, s.Instances(), lost, err)
		}
		if exists(dir, "instances", "a.image") {
			t.Errorf("%s: the image stays", name)
		}
		keep(t, s, instance("c"), "image", "") // it goes on, and is believed again
		s.Close()
		if s = openStore(t, dir); len(s.Instances()) != 1 {
			t.Errorf("%s: afterwards %v", name, s.Instances())
		}
		s.Close()
		os.WriteFile(at("key"), key, 0o600)
		os.WriteFile(at("registry"), now["registry"], 0o600)
		os.WriteFile(at("counter"), now["counter"], 0o600)
	}
	s = openStore(t, dir)
	if all := s.Instances(); len(all) != 1 || all[0].ID != "b" {
		t.Errorf("as it was: %v", all)
	}
}

func TestOpenRefusesOpenDirectories(t *testing.T) {
	dir := privateDir(t)
	openStore(t, dir).Close()
	for name, change := range map[string]func() error{
		"directory": func() error { return os.Chmod(dir, 0o750) },
		"key":       func() error { return os.Chmod(filepath.Join(dir, "key"), 0o640) },
		"short key": func() error { return os.Truncate(filepath.Join(dir, "key"), 31) },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if s, _, err := Open(dir, testOptions); err == nil {
			s.Close()
			t.Errorf("%s: opened", name)
		}
		os.Chmod(dir, 0o700)
		os.Chmod(filepath.Join(dir, "key"), 0o600)
	}
}

func TestOneSupervisor(t *testing.T) {
	dir := privateDir(t)
	s := openStore(t, dir)
	if _, _, err := Open(dir, testOptions); !errors.Is(err, ErrInUse) {
		t.Errorf("a second one: %v", err)
	}
	reopened(t, s, dir)
}

func TestKeyIsPrivateAndStays(t *testing.T) {
	dir := privateDir(t)
	s := openStore(t, dir)
	first, err := os.ReadFile(filepath.Join(dir, "key"))
	if err != nil || len(first) != keySize || bytes.Equal(first, make([]byte, keySize)) {
		t.Fatalf("%x, %v", first, err)
	}
	if st, _ := os.Stat(filepath.Join(dir, "key")); st.Mode() != 0o600 {
		t.Errorf("mode %v", st.Mode())
	}
	reopened(t, s, dir)
	if again, _ := os.ReadFile(filepath.Join(dir, "key")); !bytes.Equal(again, first) {
		t.Error("another key after a restart")
	}
}

// A full disk is said before anything is given up, and leaves nothing.
func TestNoRoom(t *testing.T) {
	dir := privateDir(t)
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=1m,mode=0700"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	s := openStore(t, dir)
	defer s.Close()
	if _, err := s.Prepare(instance("a"), memory(t, "package"), 2<<20); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("more than there is: %v", err)
	}
	if exists(dir, "instances", "a.image.tmp") || exists(dir, "packages", nameOf(mp.Digest{1})) {
		t.Error("it leaves files")
	}
	d, err := s.Prepare(instance("a"), memory(t, "package"), 1000)
	if err != nil {
		t.Fatal(err)
	}
	big := strings.Repeat("x", 2<<20) // an image above what was said
	if _, err := d.Keep(strings.NewReader(big), int64(len(big)), nil); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("an image that does not fit: %v", err)
	}
	if exists(dir, "instances", "a.image") || exists(dir, "instances", "a.image.tmp") || len(s.Instances()) > 0 {
		t.Error("it leaves files")
	}
	keep(t, s, instance("a"), "small", "")
}
