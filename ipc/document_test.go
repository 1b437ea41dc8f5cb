package ipc

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// docs/protocol.md names every rule, and the numbers that the code has.
func TestDocumentIsTrue(t *testing.T) {
	b, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	source, err := os.ReadFile("errors.go")
	if err != nil {
		t.Fatal(err)
	}
	rules := regexp.MustCompile(`Rule\("([^"]+)"\)`).FindAllStringSubmatch(string(source), -1)
	if len(rules) != 15 {
		t.Errorf("%d rules in errors.go", len(rules))
	}
	for _, r := range rules {
		if !strings.Contains(doc, "| `"+r[1]+"` |") {
			t.Errorf("the document does not have the rule %q", r[1])
		}
	}
	l, _ := Limits{}.filled()
	for _, row := range []string{
		fmt.Sprintf("| message | the longest body of one message | 1 to %d MiB | %d MiB |", maxMessage>>20, l.Message>>20),
		fmt.Sprintf("| 1 to 4,096 | %d |", l.Calls),
		fmt.Sprintf("| 2 × message to %d MiB | %d MiB |", maxWindow>>20, l.Window>>20),
		fmt.Sprintf("| handshake | %d s |", l.Handshake/time.Second),
		fmt.Sprintf("| frame | %d s |", l.Frame/time.Second),
		fmt.Sprintf("| stall | %d s |", l.Stall/time.Second),
		fmt.Sprintf("takes %d bytes more", lengthSize+headerSize+tagSize),
		fmt.Sprintf("at most\n%d KiB of a message in a frame", fragment>>10),
		fmt.Sprintf("%d KiB each", bufferSize>>10),
	} {
		if !strings.Contains(doc, row) && !strings.Contains(strings.ReplaceAll(doc, "\n", " "), strings.ReplaceAll(row, "\n", " ")) {
			t.Errorf("the document does not say %q", row)
		}
	}
}
