package controlpb

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestGenerated regenerates the code of this package and compares: a change of
// control.proto without `make generate` fails here.
func TestGenerated(t *testing.T) {
	if _, err := exec.LookPath("protoc"); err != nil {
		t.Fatal("protoc is missing: run `make deps`")
	}
	out := t.TempDir()
	if msg, err := exec.Command("../../../scripts/generate.sh", out).CombinedOutput(); err != nil {
		t.Fatalf("cannot generate: %v\n%s", err, msg)
	}
	for _, name := range []string{"control.pb.go", "controlpbconnect/control.connect.go"} {
		want, err := os.ReadFile(filepath.Join(out, "internal/control/controlpb", name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what control.proto gives: run `make generate`", name)
		}
	}
}
