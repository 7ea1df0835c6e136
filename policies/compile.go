package policies

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

// compiled is one policy, ready to be asked.
type compiled struct {
	Policy
	parameters *ast.Term
	inventory  []declaration
	query      rego.PreparedEvalQuery
	// builtins is for error messages: the names that an evaluation error may begin with.
	builtins []string
	health   *health
	// fingerprint is the same for the same folder under the same setting.
	fingerprint string
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

// compile builds one policy, or says everything that is wrong with it.
func (c *compiler) compile(ctx context.Context, f folder, setting Setting) (*compiled, []Problem) {
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
	p := &compiled{Policy: meta.policy(f, setting), inventory: meta.inventory, builtins: c.list.Builtins, health: &health{}}
	if problems := c.setParameters(ctx, p, meta, setting); len(problems) > 0 {
		return nil, problems
	}
	program, problems := c.link(f.id, modules, meta)
	if len(problems) > 0 {
		return nil, problems
	}
	rules, problems := verdictRules(f.id, program, modules)
	if len(problems) > 0 {
		return nil, problems
	}
	reach := walk(program, rules)
	if problems := reach.problems(f.id, meta.schema != nil); len(problems) > 0 {
		return nil, problems
	}
	if problems := scans(f.id, program, rules, inventoryRef(), meta.inventory); len(problems) > 0 {
		return nil, problems
	}
	p.ReadsNamespace = reach.readsNamespace
	var err error
	if p.query, err = prepare(ctx, program, modules[0].Package.Path, rules); err != nil {
		return nil, c.regoProblems(f.id, f.dir, err)
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

// link compiles the modules of a policy together with the shared helpers.
func (c *compiler) link(id string, modules []*ast.Module, meta metadata) (*ast.Compiler, []Problem) {
	all := map[string]*ast.Module{}
	for _, module := range slices.Concat(modules, c.needed(modules)) {
		all[module.Package.Location.File] = module
	}
	compiler := ast.NewCompiler().WithCapabilities(c.capabilities).WithStrict(true).WithDefaultRegoVersion(ast.RegoV1).
		WithEnablePrintStatements(c.print).
		WithSchemas(inputSchema(meta.schema, meta.inventory))
	if compiler.Compile(all); compiler.Failed() {
		return nil, c.regoProblems(id, modules[0].Package.Location.File, compiler.Errors)
	}
	return compiler, nil
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

// prepare builds the one query of a policy: its verdict rules and no other rule of its package.
func prepare(ctx context.Context, compiler *ast.Compiler, pkg ast.Ref, rules []*ast.Rule) (rego.PreparedEvalQuery, error) {
	var names []string
	for _, rule := range rules {
		if name := rule.Head.Name.String(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	var body ast.Body
	for _, name := range names {
		body.Append(ast.Equality.Expr(ast.VarTerm(name), ast.NewTerm(pkg.Append(ast.StringTerm(name)))))
	}
	return rego.New(
		rego.ParsedQuery(body),
		rego.Compiler(compiler),
		rego.StrictBuiltinErrors(true),
	).PrepareForEval(ctx)
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
