package policies

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// compiled is one policy, ready to be asked.
type compiled struct {
	Policy
	*program
	parameters *ast.Term
	inventory  []declaration
	// builtins is for error messages: the names that an evaluation error may begin with.
	builtins []string
	health   *health
	// fingerprint is the same for the same folder under the same setting.
	fingerprint string
}

// definition is what the files of a policy say, settings aside. It is immutable, and outlives the set for which it was read.
type definition struct {
	id      string
	meta    metadata
	modules []*ast.Module // as they were parsed
	shared  []*ast.Module // as they may be compiled together with those of other policies; nil where they may not
	// hash is the same for the same folder.
	hash string
}

// compiler turns folders into policies. It is made for one Load and holds what all policies share.
type compiler struct {
	list         allowList
	capabilities *ast.Capabilities
	lib          []*ast.Module
	schemas      *schemaChecker
	print        bool // keep print statements
}

func newCompiler(ctx context.Context, print bool) (*compiler, error) {
	bindBounds()
	list, err := readAllowList()
	if err != nil {
		return nil, err
	}
	c := &compiler{list: list, capabilities: list.capabilities(), print: print}
	for _, f := range libFiles() {
		module, err := c.parse(f)
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", f.name, err)
		}
		c.lib = append(c.lib, module)
	}
	c.schemas, err = newSchemaChecker(ctx)
	return c, err
}

func (c *compiler) parse(f file) (*ast.Module, error) {
	return ast.ParseModuleWithOpts(f.name, string(f.text), ast.ParserOptions{
		RegoVersion: ast.RegoV1, Capabilities: c.capabilities, ProcessAnnotation: true,
	})
}

// read parses a folder and reads what it says of itself, or says everything that is wrong with it.
func (c *compiler) read(ctx context.Context, f folder) (*definition, []Problem) {
	var (
		modules  []*ast.Module
		problems []Problem
	)
	for _, file := range f.files {
		module, err := c.parse(file)
		switch {
		case err != nil:
			problems = append(problems, c.regoProblems(f.id, file.name, err)...)
		case module == nil:
			problems = append(problems, Problem{Policy: f.id, File: file.name, Line: 1, Reason: "is empty"})
		default:
			modules = append(modules, module)
			problems = append(problems, checkPackage(f.id, module)...)
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	meta, problems := readMetadata(f.id, modules)
	if len(problems) > 0 {
		return nil, problems
	}
	if meta.schema != nil {
		schema, err := c.schemas.schema(ctx, meta.schema)
		if err != nil {
			return nil, []Problem{meta.schemaAt.problem(f.id, "%s", oneLine(err.Error()))}
		}
		meta.schema = schema
	}
	return &definition{id: f.id, meta: meta, modules: modules, shared: shared(f.id, modules)}, nil
}

// configure makes a policy of a definition and a setting. It has no program yet.
func (c *compiler) configure(ctx context.Context, f folder, d *definition, setting Setting) (*compiled, []Problem) {
	p := &compiled{Policy: d.meta.policy(f, setting), inventory: d.meta.inventory, builtins: c.list.Builtins, health: &health{}}
	if problems := c.setParameters(ctx, p, d.meta, setting); len(problems) > 0 {
		return nil, problems
	}
	return p, nil
}

// packageOf is the only package that the files of a policy may have.
func packageOf(id string) string { return "gesso.policies." + strings.ReplaceAll(id, "-", "_") }

func checkPackage(id string, module *ast.Module) []Problem {
	if module.Package.Path.String() == "data."+packageOf(id) {
		return nil
	}
	at := module.Package.Location
	return []Problem{{
		Policy: id, File: at.File, Line: at.Row, Column: at.Col,
		Reason: fmt.Sprintf("the package is %s; in this folder it must be %s", strings.TrimPrefix(module.Package.Path.String(), "data."), packageOf(id)),
	}}
}

// policy is the public face of a policy under a setting.
func (m metadata) policy(f folder, setting Setting) Policy {
	p := Policy{
		ID: f.id, Title: m.title, Description: m.description, Related: m.related, Source: f.source,
		Action: m.action, DefaultAction: m.action, Namespaces: setting.Namespaces, Match: m.match,
	}
	for _, d := range m.inventory {
		p.Inventory = append(p.Inventory, d.InventoryKind)
	}
	if setting.Action != "" {
		p.Action = setting.Action
	}
	return p
}

// setParameters fills in what the policy sees as input.parameters.
func (c *compiler) setParameters(ctx context.Context, p *compiled, meta metadata, setting Setting) []Problem {
	filled, wrong := c.schemas.fill(ctx, meta.schema, setting.Parameters, !p.Enabled())
	var problems []Problem
	for _, err := range wrong {
		problem := Problem{Policy: p.ID, Reason: err.Error()}
		if len(setting.Parameters) == 0 && meta.schema != nil { // the policy's own defaults do not fit, or something is required
			problem = meta.schemaAt.problem(p.ID, "%s", err)
		}
		problems = append(problems, problem)
	}
	if len(problems) > 0 {
		return problems
	}
	value, err := ast.InterfaceToValue(filled)
	if err == nil {
		p.parameters = ast.NewTerm(value)
		p.Parameters, err = marshal(filled)
	}
	if err == nil && meta.schema != nil {
		p.Schema, err = marshal(meta.schema)
	}
	if err != nil {
		return []Problem{{Policy: p.ID, Reason: "parameters: " + oneLine(err.Error())}}
	}
	return nil
}

// verdictRules finds deny and warn. Without either a policy would never say anything; written as anything but a set it would say only
// one thing, or nothing where it should say much.
func verdictRules(id string, compiler *ast.Compiler, modules []*ast.Module) ([]*ast.Rule, []Problem) {
	var (
		found    []*ast.Rule
		problems []Problem
	)
	for _, name := range []string{"deny", "warn"} {
		path := modules[0].Package.Path.Append(ast.StringTerm(name))
		for _, rule := range compiler.GetRules(path) {
			if rule.Head.DocKind() != ast.PartialSetDoc || len(rule.Head.Ref()) != 1 {
				problems = append(problems, Problem{
					Policy: id, File: rule.Location.File, Line: rule.Location.Row, Column: rule.Location.Col,
					Reason: fmt.Sprintf("%s must be a set: write %s contains violation if { … }", name, name),
				})
				continue
			}
			found = append(found, rule)
		}
	}
	if len(found) == 0 && len(problems) == 0 {
		at := modules[0].Package.Location
		problems = append(problems, Problem{
			Policy: id, File: at.File, Line: at.Row, Column: at.Col,
			Reason: "defines neither deny nor warn, so it would never say anything",
		})
	}
	return found, problems
}

// regoProblems turns what OPA's parser and compiler report into problems. A function that is refused gets the reason for it.
func (c *compiler) regoProblems(id, name string, err error) []Problem {
	list, ok := errors.AsType[ast.Errors](err)
	if one, single := errors.AsType[*ast.Error](err); single && !ok {
		list, ok = ast.Errors{one}, true
	}
	if !ok {
		return []Problem{{Policy: id, File: name, Reason: oneLine(err.Error())}}
	}
	var problems []Problem
	for _, e := range list {
		problem := Problem{Policy: id, File: name, Reason: oneLine(e.Message)}
		if e.Location != nil {
			problem.Line, problem.Column = e.Location.Row, e.Location.Col
			if e.Location.File != "" {
				problem.File = e.Location.File
			}
		}
		if function, found := strings.CutPrefix(e.Message, "undefined function "); found {
			if reason, refused := c.list.Refused[function]; refused {
				problem.Reason = fmt.Sprintf("%s is refused in policies: %s", function, reason)
			}
		}
		problems = append(problems, problem)
	}
	return problems
}
