package sourcemap

// Place is a place in generated code. Lines and columns begin with 0.
type Place struct{ Line, Column int }

// Origin is where a place came from. Without a Source that is not known.
type Origin struct {
	Source       string
	Line, Column int
}

// Find looks up places. What is wrong with the mappings ends the search: what was
// found by then is returned.
func (m *Map) Find(places []Place) []Origin {
	found := make([]Origin, len(places))
	wanted := map[int][]int{} // line → indexes of places
	last := 0
	for i, p := range places {
		wanted[p.Line] = append(wanted[p.Line], i)
		last = max(last, p.Line)
	}
	w := walker{text: m.mappings}
	for w.line <= last && w.next() {
		for _, i := range wanted[w.line] {
			if w.column <= places[i].Column {
				found[i] = m.origin(&w)
			}
		}
	}
	return found
}

// origin is what the segment says that a walker stands on.
func (m *Map) origin(w *walker) Origin {
	if !w.mapped || w.source < 0 || w.source >= len(m.sources) || m.sources[w.source] == "" || w.fromLine < 0 || w.fromColumn < 0 {
		return Origin{}
	}
	return Origin{m.sources[w.source], w.fromLine, w.fromColumn}
}

// walker goes from segment to segment (ECMA-426, section 9.2, "mappings"). Each
// is one, four or five numbers, separated by commas, and lines by semicolons.
// The numbers are differences to those before.
type walker struct {
	text string
	at   int

	line, column                 int
	mapped                       bool // the segment says where it came from
	source, fromLine, fromColumn int
}

// next goes to the next segment, and reports whether there is one.
func (w *walker) next() bool {
	for w.at < len(w.text) {
		switch w.text[w.at] {
		case ';':
			w.line++
			w.column = 0
			w.at++
		case ',':
			w.at++
		default:
			return w.segment()
		}
	}
	return false
}

func (w *walker) segment() bool {
	var numbers [5]int
	n := 0
	for w.at < len(w.text) && w.text[w.at] != ',' && w.text[w.at] != ';' {
		v, ok := w.number()
		if !ok || n == len(numbers) {
			return false
		}
		numbers[n] = v
		n++
	}
	if n != 1 && n != 4 && n != 5 {
		return false
	}
	w.mapped = n > 1
	w.column += numbers[0]
	w.source += numbers[1]
	w.fromLine += numbers[2]
	w.fromColumn += numbers[3]
	return w.column >= 0
}

// number reads a variable length quantity in base 64: five bits a digit, the
// lowest first, the sixth bit set in all digits but the last. The lowest bit of
// the whole is the sign. What has more than 32 bits is refused.
func (w *walker) number() (v int, ok bool) {
	for shift := 0; w.at < len(w.text) && shift <= 30; shift += 5 {
		d := digits[w.text[w.at]]
		if d < 0 {
			return 0, false
		}
		w.at++
		v |= int(d&31) << shift
		if d&32 != 0 {
			continue
		}
		if v&1 != 0 {
			return -(v >> 1), v>>1 <= 1<<31
		}
		return v >> 1, v>>1 < 1<<31
	}
	return 0, false
}

// digits are the values of base 64's letters (RFC 4648, section 4), and -1.
var digits = func() (d [256]int8) {
	for i := range d {
		d[i] = -1
	}
	for i, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		d[c] = int8(i)
	}
	return d
}()
