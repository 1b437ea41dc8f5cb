package examples_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/test/daemon"
)

// receipt is what examples/receipt returns.
type receipt struct {
	Total, Text, SVG string
	QR               struct{ Content, Text, SVG string }
}

const teaShop = `"shop": {"name": "Teehaus Nord", "address": ["Hafenstraße 7"], "taxId": "DE123456789"},
	"number": "2026-0042", "date": "2026-03-01T12:30:00Z", "payment": {"method": "cash", "given": "100"},
	"items": [
		{"name": "Ostfriesentee, lose", "quantity": "0.25", "unitPrice": "39.80", "taxRate": 7},
		{"name": "Teekanne aus Gusseisen mit Sieb und Stövchen", "unitPrice": "64.90", "taxRate": 19, "discount": 10},
		{"name": "烏龍茶", "quantity": 2, "unitPrice": 12, "taxRate": "7"}]`

const teaShopDE = `               TEEHAUS NORD
              Hafenstraße 7
          USt-IdNr. DE123456789
==========================================
Beleg 2026-0042          01.03.2026, 12:30
------------------------------------------
Ostfriesentee, lose                   9,95
  0,25 × 39,80
Teekanne aus Gusseisen mit Sieb und
Stövchen                             58,41
  -10 %
烏龍茶                               24,00
  2 × 12,00
------------------------------------------
SUMME                              92,36 €
Bar                                 100,00
Rückgeld                              7,64
------------------------------------------
enth. MwSt 7 % (netto 31,73)          2,22
enth. MwSt 19 % (netto 49,08)         9,33
==========================================
      Vielen Dank für Ihren Einkauf
`

const teaShopJA = `          TEEHAUS NORD
         Hafenstraße 7
      登録番号 DE123456789
================================
レシート
2026-0042       2026/03/01 12:30
--------------------------------
Ostfriesentee, lose           10
  0.25 × 39.8
Teekanne aus Gusseisen mit
Sieb und Stövchen             58
  -10 %
烏龍茶                        24
  2 × 12
--------------------------------
合計                        ￥92
現金                         100
お釣り                         8
--------------------------------
内税 7 % (税抜 32)             2
内税 19 % (税抜 49)            9
================================
 お買い上げありがとうございます
`

// shopfront is the example as `mpsupervisor run` gets it. Only the built programs
// run it here: the bundle's Intl comes with their heap image, and takes seconds to
// evaluate without one.
type shopfront string

// TestReceipt bundles the example, and has the built programs pack and run it.
func TestReceipt(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: the launcher makes namespaces and control groups")
	}
	s := shopfront(built(t, "receipt"))
	t.Run("text", s.text)
	t.Run("amounts", s.amounts)
	t.Run("hostile input", s.isSafe)
	t.Run("code", s.code)
	t.Run("wrong input", s.wrongInput)
	t.Run("stack", s.stack)
}

// run returns what the command wrote.
func (s shopfront) run(input string) (output, log string, err error) {
	var stdout, stderr strings.Builder
	cmd := exec.Command(daemon.Program("mpsupervisor"), "run", string(s), "--call", "render", "--input", input)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	return stdout.String(), stderr.String(), err
}

func (s shopfront) render(t *testing.T, input string) receipt {
	t.Helper()
	output, log, err := s.run(input)
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	if !strings.Contains(log, "a receipt over ") {
		t.Errorf("the log is %q", log)
	}
	var r receipt
	must(t, json.Unmarshal([]byte(output), &r))
	return r
}

// refused is the log of a call that threw.
func (s shopfront) refused(t *testing.T, input string) string {
	t.Helper()
	output, log, err := s.run(input)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || output != "" {
		t.Errorf("%s: got %s, %v, want exit status 1", input, output, err)
	}
	return log
}

func (s shopfront) text(t *testing.T) {
	for _, tt := range []struct{ options, total, want string }{
		{`"locale": "de", "currency": "EUR"`, "92.36", teaShopDE},
		{`"locale": "ja-JP", "currency": "JPY", "width": 32`, "92", teaShopJA},
	} {
		r := s.render(t, "{"+tt.options+","+teaShop+"}")
		if r.Text != tt.want || r.Total != tt.total {
			t.Errorf("%s: total %s\n%s\nwant %s\n%s", tt.options, r.Total, r.Text, tt.total, tt.want)
		}
		if want := "Teehaus Nord 2026-0042 " + tt.total; !strings.HasPrefix(r.QR.Content, want) {
			t.Errorf("%s: the code says %q, want %q", tt.options, r.QR.Content, want)
		}
	}
}

// Amounts are exact where floating point is not.
func (s shopfront) amounts(t *testing.T) {
	for _, tt := range []struct{ items, total string }{
		{`{"name": "a", "unitPrice": "0.1"}, {"name": "b", "unitPrice": "0.2"}`, "0.30"},
		{`{"name": "a", "unitPrice": "1.005"}`, "1.01"},
		{`{"name": "a", "unitPrice": "1000000000", "quantity": 100000}, {"name": "b", "unitPrice": "0.01"}`, "100000000000000.01"},
		{`{"name": "deposit", "unitPrice": "-0.25", "quantity": 3}, {"name": "b", "unitPrice": 1}`, "0.25"},
	} {
		if r := s.render(t, `{"locale": "en", "currency": "USD", "items": [`+tt.items+`]}`); r.Total != tt.total {
			t.Errorf("%s: %s, want %s", tt.items, r.Total, tt.total)
		}
	}
}

// What a caller sends cannot become markup or move a printer's head.
func (s shopfront) isSafe(t *testing.T) {
	r := s.render(t, `{"locale": "fr", "currency": "EUR", "items": [{"name": "<script>&\"{{ total }}\u001b[2J\u202e\nx", "unitPrice": 1}], "link": "\"/><b>"}`)
	if strings.Contains(r.SVG, "<script") || strings.Contains(r.SVG+r.QR.SVG, "<b>") || !strings.Contains(r.SVG, "&lt;script&gt;&amp;") {
		t.Errorf("the picture is\n%s", r.SVG)
	}
	if !strings.Contains(r.Text, `<script>&"{{ total }} [2J x`) || strings.ContainsAny(r.Text, "\x1b\u202e\r") {
		t.Errorf("the text is\n%q", r.Text)
	}
}

// The code's text and its path show the same modules, and the three squares by
// which readers find a code.
func (s shopfront) code(t *testing.T) {
	r := s.render(t, `{"locale": "zh", "currency": "CNY", "items": [{"name": "茶", "unitPrice": 1}], "link": "https://shop.example/r/1"}`)
	text, path := modulesOfText(r.QR.Text), modulesOfPath(t, r.QR.SVG)
	if len(path) < 200 || !strings.Contains(r.SVG, pathOf(r.QR.SVG)) {
		t.Errorf("%d modules are dark in the code, or the receipt has another", len(path))
	}
	size := 0
	for m := range path {
		size = max(size, m[0]+5)
	}
	for y := range size {
		for x := range size {
			m := [2]int{x, y}
			if text[m] != path[m] {
				t.Fatalf("module %v is dark in the text: %t, in the picture: %t", m, text[m], path[m])
			}
		}
	}
	for _, corner := range [][2]int{{4, 4}, {size - 11, 4}, {4, size - 11}} {
		for y := range 7 {
			for x := range 7 {
				ring := max(abs(x-3), abs(y-3))
				if dark := path[[2]int{corner[0] + x, corner[1] + y}]; dark != (ring != 2) {
					t.Fatalf("the square at %v is wrong at %d, %d", corner, x, y)
				}
			}
		}
	}
}

func abs(n int) int { return max(n, -n) }

func modulesOfText(text string) map[[2]int]bool {
	m := map[[2]int]bool{}
	for y, line := range strings.Split(text, "\n") {
		for x, c := range []rune(line) {
			m[[2]int{x, 2 * y}] = c == '▀' || c == '█'
			m[[2]int{x, 2*y + 1}] = c == '▄' || c == '█'
		}
	}
	return m
}

func pathOf(svg string) string {
	_, path, _ := strings.Cut(svg, ` d="`)
	path, _, _ = strings.Cut(path, `"`)
	return path
}

func modulesOfPath(t *testing.T, svg string) map[[2]int]bool {
	t.Helper()
	m := map[[2]int]bool{}
	for _, run := range regexp.MustCompile(`M\d+ \d+h\d+v1H\d+z`).FindAllString(pathOf(svg), -1) {
		var x, y, n, back int
		if _, err := fmt.Sscanf(run, "M%d %dh%dv1H%dz", &x, &y, &n, &back); err != nil || back != x {
			t.Fatalf("a run of the path is %s: %v", run, err)
		}
		for i := range n {
			m[[2]int{x + i, y}] = true
		}
	}
	return m
}

func (s shopfront) wrongInput(t *testing.T) {
	const ok = `"items": [{"name": "Tea", "unitPrice": "2.50"}], "currency": "EUR", "locale": "en"`
	item := func(members string) string {
		return `{"currency": "EUR", "locale": "en", "items": [{` + members + `}]}`
	}
	for input, want := range map[string]string{
		`null`:                                "the input must be an object such as",
		`[]`:                                  "the input must be an object such as",
		`{` + ok + `, "colour": 1}`:           "colour is not known in the input",
		`{"currency": "EUR", "locale": "en"}`: "items must be an array of 1 to 500 items",
		`{"items": [], "currency": "EUR", "locale": "en"}`:     "items must be an array of 1 to 500 items",
		item(`"name": "Tea"`):                                  "items[0].unitPrice must be a number or a string",
		item(`"name": "\u0000 ", "unitPrice": 1`):              "items[0].name must have 1 to 200 characters",
		item(`"name": "Tea", "unitPrice": "1e9"`):              "is not a decimal number",
		item(`"name": "Tea", "unitPrice": "1.1234567"`):        "items[0].unitPrice may have 6 decimal places",
		item(`"name": "Tea", "unitPrice": 1, "quantity": 0`):   "items[0].quantity must be from 0.001 to 100000",
		item(`"name": "Tea", "unitPrice": 1, "discount": 101`): "items[0].discount must be from 0 to 100",
		`{` + strings.Replace(ok, "EUR", "euro", 1) + `}`:      "currency must be three letters",
		`{` + strings.Replace(ok, `"en"`, `"xx"`, 1) + `}`:     "locale must be one of en, de, fr, zh, ja",
		`{` + ok + `, "width": 31}`:                            "width must be a whole number from 32 to 80",
		`{` + ok + `, "date": "yesterday"}`:                    "date must be a time such as",
		`{` + ok + `, "payment": {"method": "gold"}}`:          `payment.method must be "cash" or "card"`,
		`{` + ok + `, "shop": {"name": "a", "address": "b"}}`:  "shop.address must be an array",
	} {
		if log := s.refused(t, input); !strings.Contains(log, "InputError") || !strings.Contains(log, want) {
			t.Errorf("%s: the log is %q, want %q in it", input, log, want)
		}
	}
}

// Errors tell the lines of src/, by the bundle's source map.
func (s shopfront) stack(t *testing.T) {
	log := s.refused(t, `{"currency": "EUR", "locale": "en", "items": []}`)
	if !regexp.MustCompile(`src/input\.js:\d+`).MatchString(log) {
		t.Errorf("the log is\n%s", log)
	}
}
