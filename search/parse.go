package search

import (
	"fmt"
	"slices"
	"strings"
)

// Parse reads a genotype in any of the forms that are about: flat pairs (DARTS), pairs nested by node (pt.darts), triples
// ('op', to, from) (FairDARTS), the output's nodes as a list or a range, in any order of the four fields, on one line or
// many, with comments, with "name =" before it or not; the text of a NAS-Bench-201 cell; and JSON. Names of primitives are not
// looked up: see Genotype.Validate. What cannot be read is a *SyntaxError.
func Parse(text string) (Genotype, error) {
	switch first := strings.TrimSpace(text); {
	case strings.HasPrefix(first, "|"):
		return parseArch(text)
	case strings.HasPrefix(first, "{"):
		return parseJSON(text)
	}
	p := &parser{lexer: lexer{text: text}}
	p.next()
	g := p.genotype()
	if p.err != nil {
		return Genotype{}, p.err
	}
	return g, nil
}

// SyntaxError says where a text stopped being what it should be.
type SyntaxError struct {
	Offset       int // bytes
	Line, Column int // from 1; columns are bytes
	Want, Found  string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("search: genotype: line %d, column %d: expected %s, found %s", e.Line, e.Column, e.Want, e.Found)
}

// syntaxError makes an error about the text at offset.
func syntaxError(text string, offset int, want, found string) *SyntaxError {
	before := text[:offset]
	return &SyntaxError{
		Offset: offset,
		Line:   1 + strings.Count(before, "\n"),
		Column: offset - strings.LastIndexByte(before, '\n'),
		Want:   want,
		Found:  found,
	}
}

// parser reads tokens by recursive descent; after an error it reads none.
type parser struct {
	lexer
	err error
}

// fail notes the first error, at a token.
func (p *parser) fail(t token, want string) {
	if p.err == nil {
		p.err = syntaxError(p.text, t.offset, want, t.String())
	}
	p.token = token{kind: end, offset: len(p.text)}
}

func (p *parser) next() {
	if p.err == nil {
		p.lexer.next()
	}
}

// accept passes over the token if it is this one.
func (p *parser) accept(kind tokenKind, text string) bool {
	if p.err != nil || p.token.kind != kind || text != "" && p.token.text != text {
		return false
	}
	p.next()
	return true
}

// expect passes over a token of a kind and returns it.
func (p *parser) expect(kind tokenKind, text, want string) token {
	t := p.token
	if !p.accept(kind, text) {
		p.fail(t, want)
	}
	return t
}

func (p *parser) symbol(s string) { p.expect(symbol, s, "'"+s+"'") }

// number reads a number below limit.
func (p *parser) number(limit int, want string) int {
	t := p.expect(number, "", want)
	if p.err == nil && t.value >= limit {
		p.fail(t, fmt.Sprintf("%s below %d", want, limit))
		return 0
	}
	return t.value
}

func (p *parser) genotype() (g Genotype) {
	name := p.expect(word, "", "Genotype(")
	if p.accept(symbol, "=") {
		name = p.expect(word, "", "Genotype(")
	}
	if p.err == nil && name.text != "Genotype" {
		p.fail(name, "Genotype(")
	}
	p.symbol("(")
	fields := make(map[string]int) // where they begin
	for p.err == nil {
		field := p.expect(word, "", "one of normal=, normal_concat=, reduce=, reduce_concat=")
		if _, seen := fields[field.text]; seen {
			p.fail(field, "each field once")
		}
		fields[field.text] = field.offset
		p.symbol("=")
		switch field.text {
		case "normal":
			g.Normal.Edges = p.edges()
		case "reduce":
			g.Reduce.Edges = p.edges()
		case "normal_concat":
			g.Normal.Concat = p.concat()
		case "reduce_concat":
			g.Reduce.Concat = p.concat()
		default:
			p.fail(field, "one of normal=, normal_concat=, reduce=, reduce_concat=")
		}
		if !p.accept(symbol, ",") || p.token.text == ")" {
			break
		}
	}
	if p.err == nil && len(fields) < 4 {
		p.fail(p.token, "all of normal=, normal_concat=, reduce=, reduce_concat=")
	}
	p.symbol(")")
	p.expect(end, "", "nothing after the genotype")
	for _, c := range []struct {
		field  string
		wiring Wiring
	}{{"normal", g.Normal}, {"reduce", g.Reduce}} {
		if p.err != nil {
			break
		}
		if err := c.wiring.check(Stacked); err != nil {
			p.err = syntaxError(p.text, fields[c.field], "a cell that fits together", fmt.Sprintf("%s, where %v", c.field, err))
		}
	}
	return g
}

// edges reads a list of pairs, of lists of pairs, or of triples.
func (p *parser) edges() (edges []Choice) {
	begin := p.token
	p.symbol("[")
	node, form := Stacked.Inputs(), ""
	for p.err == nil && !p.accept(symbol, "]") {
		at, this := p.token, "list of pairs"
		var read []Choice
		if p.accept(symbol, "[") {
			read = p.pairs(node)
			node++
		} else {
			var c Choice
			if c, this = p.choice(); this == "pair" {
				c.To = Stacked.Inputs() + len(edges)/2
			}
			read = append(read, c)
		}
		if form != "" && this != form {
			p.fail(at, "another "+form)
		}
		form = this
		for _, c := range read {
			if c.From >= c.To || c.To >= maxNodes {
				p.fail(at, fmt.Sprintf("an edge from a node to a later one, below %d", maxNodes))
			}
		}
		edges = append(edges, read...)
		p.separator()
	}
	if form == "pair" && len(edges)%2 != 0 {
		p.fail(begin, "two pairs for each node")
	}
	slices.SortStableFunc(edges, func(a, b Choice) int { return a.To - b.To })
	return edges
}

// pairs reads the rest of a list of the pairs of one node.
func (p *parser) pairs(node int) (edges []Choice) {
	for p.err == nil && !p.accept(symbol, "]") {
		at := p.token
		c, form := p.choice()
		if form != "pair" {
			p.fail(at, "a pair")
		}
		edges = append(edges, Choice{c.Op, c.From, node})
		p.separator()
	}
	return edges
}

// choice reads a pair ('op', from) or a triple ('op', to, from), and says which.
func (p *parser) choice() (c Choice, form string) {
	p.symbol("(")
	c.Op = p.expect(quoted, "", "the name of an operation in quotes").text
	p.symbol(",")
	c.From = p.number(maxNodes, "a node")
	if !p.accept(symbol, ",") || p.token.kind != number {
		p.symbol(")")
		return c, "pair"
	}
	c.To, c.From = c.From, p.number(maxNodes, "a node")
	p.accept(symbol, ",")
	p.symbol(")")
	return c, "triple"
}

// separator reads what stands between two entries of a list: a comma, which may be missing at its end.
func (p *parser) separator() {
	if !p.accept(symbol, ",") && p.token.text != "]" {
		p.fail(p.token, "',' or ']'")
	}
}

// concat reads the nodes of the output: a list, range(from, to), range(to), or list(range(…)).
func (p *parser) concat() (nodes []int) {
	if p.accept(symbol, "[") {
		for p.err == nil && !p.accept(symbol, "]") {
			nodes = append(nodes, p.number(maxNodes, "a node"))
			p.separator()
		}
		return nodes
	}
	t := p.expect(word, "", "a list of nodes or a range")
	if t.text == "list" {
		p.symbol("(")
		nodes = p.nodeRange(p.expect(word, "", "a range"))
		p.symbol(")")
		return nodes
	}
	return p.nodeRange(t)
}

// nodeRange reads the rest of a range, whose name has been read.
func (p *parser) nodeRange(name token) (nodes []int) {
	if p.err == nil && name.text != "range" {
		p.fail(name, "a list of nodes or a range")
	}
	p.symbol("(")
	from, to := 0, p.number(maxNodes+1, "a node")
	if p.accept(symbol, ",") {
		from, to = to, p.number(maxNodes+1, "a node")
	}
	p.symbol(")")
	for n := from; n < to; n++ {
		nodes = append(nodes, n)
	}
	return nodes
}
