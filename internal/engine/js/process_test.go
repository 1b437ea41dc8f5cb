package js

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The tests in this file restore images in processes of their own: this test's
// executable, run for TestChild alone.

// childStep tells TestChild that it is one, and how often the state was restored.
const childStep = "MP_TEST_RESTORED"

// Descriptors of a child: the prelude's image, the program's, and an empty file
// for the next.
const (
	childPrelude = 3
	childImage   = 4
	childNext    = 5
)

func stateProgram(t testing.TB) string {
	source, err := os.ReadFile("testdata/state.js")
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

func TestChild(t *testing.T) {
	text, ok := os.LookupEnv(childStep)
	if !ok {
		return // what it does, TestStateSurvivesProcesses wants
	}
	step, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	p := program(stateProgram(t))
	b := begin(t, os.NewFile(childPrelude, "prelude"), from(os.NewFile(childImage, "image"), p, step))
	defer b.end()
	wantRestored(t, b)
	if got := b.must("check", text); got != "[]" {
		t.Fatalf("after %d restores: %s", step, got)
	}
	b.must("churn", "")
	if got := b.must("churn", ""); !strings.HasSuffix(got, ",true]") {
		t.Fatalf("after %d restores and a collection: %s", step, got)
	}
	if err := b.suspendTo(InstanceImage, os.NewFile(childNext, "next")); err != nil {
		t.Fatal(err)
	}
}

// child runs TestChild and returns how it ended.
func child(t *testing.T, step int, prelude, image, next *os.File) (output string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), childStep+"="+strconv.Itoa(step))
	cmd.ExtraFiles = []*os.File{prelude, image, next}
	var b bytes.Buffer
	cmd.Stdout, cmd.Stderr = &b, &b
	err = cmd.Run()
	return b.String(), err
}

func first(t testing.TB, prelude *os.File) *os.File {
	return life(t, prelude, program(stateProgram(t)), InstanceImage, func(b *bench) {
		if got := b.must("check", "0"); got != "[]" {
			t.Fatal(got)
		}
	})
}

func TestStateSurvivesProcesses(t *testing.T) {
	notUnderRace(t)
	prelude := writeImage(t)
	image := first(t, prelude)
	for step := 1; step <= 20; step++ {
		next := memory(t)
		if out, err := child(t, step, prelude, image, next); err != nil {
			t.Fatalf("process %d: %v\n%s", step, err, out)
		}
		image = next
	}
}

func sumOf(t *testing.T, f *os.File) string {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, 1<<40)); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// Pages that were changed behind the checksum's back can make a program do
// anything in its own process, and nothing to what other processes map.
func TestDamagedPages(t *testing.T) {
	notUnderRace(t)
	prelude := writeImage(t)
	image := first(t, prelude)
	good, err := io.ReadAll(io.NewSectionReader(image, 0, 1<<40))
	if err != nil {
		t.Fatal(err)
	}
	d, offset, err := readDelta(image)
	if err != nil {
		t.Fatal(err)
	}
	before := sumOf(t, prelude)
	random, failed := rand.New(rand.NewPCG(1, 2)), 0
	for range 20 {
		f := memory(t)
		bad := bytes.Clone(good)
		for range 1 + random.IntN(64) {
			bad[int(offset)+pageSize+random.IntN(int(d.count()-1)*pageSize)] = byte(random.Uint32())
		}
		if _, err := f.Write(bad); err != nil {
			t.Fatal(err)
		}
		sum := sumOf(t, f)
		if _, err := child(t, 1, prelude, f, memory(t)); err != nil {
			failed++
		}
		if sumOf(t, f) != sum || sumOf(t, prelude) != before {
			t.Fatal("a child changed a file that others map")
		}
	}
	if failed == 0 {
		t.Error("no damage was noticed: was there any?")
	}
	if out, err := child(t, 1, prelude, image, memory(t)); err != nil {
		t.Errorf("what was not damaged fails too: %v\n%s", err, out)
	}
}
