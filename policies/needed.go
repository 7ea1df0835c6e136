package policies

import (
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// libRoot is the package of the shared helpers; others lie below it.
const libRoot = "data.gesso.lib"

// needed returns the modules of the shared helpers that a policy can reach, in the order of c.lib: to compile all of them with each policy
// would be most of the time of a start.
func (c *compiler) needed(modules []*ast.Module) []*ast.Module {
	byPackage := map[string][]*ast.Module{}
	for _, module := range c.lib {
		path := module.Package.Path.String()
		byPackage[path] = append(byPackage[path], module)
	}
	found := map[string]bool{}
	for queue := modules; len(queue) > 0; queue = queue[1:] {
		for _, path := range uses(queue[0], byPackage) {
			if !found[path] {
				found[path] = true
				queue = append(slices.Clip(queue), byPackage[path]...)
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(c.lib), func(module *ast.Module) bool { return !found[module.Package.Path.String()] })
}

// uses returns the packages of the shared helpers that a module names. Where it names them in a way that is only known at run time, that is all.
func uses(module *ast.Module, packages map[string][]*ast.Module) []string {
	var all []string
	root := "" // what the module calls libRoot
	for _, imported := range module.Imports {
		ref := imported.Path.String()
		all = append(all, named(ref, packages)...)
		if ref == libRoot {
			root = string(imported.Name())
		}
	}
	visit := func(ref ast.Ref) bool {
		names := constants(ref)
		if root != "" && names[0] == root {
			names[0] = libRoot
		}
		text := strings.Join(names, ".")
		whole := text == libRoot && len(names) == len(ref) // the tree itself is the value
		open := strings.HasPrefix(libRoot+".", text+".") && len(names) < len(ref)
		if whole || open {
			all = slices.AppendSeq(all, maps.Keys(packages))
		}
		all = append(all, named(text, packages)...)
		return false
	}
	for _, rule := range module.Rules { // not the module, whose package and imports are references too
		ast.WalkRefs(rule, visit)
	}
	return all
}

// named returns the packages that a reference into them, or to something between them and libRoot, names.
func named(ref string, packages map[string][]*ast.Module) []string {
	var all []string
	for path := range packages {
		if strings.HasPrefix(ref+".", path+".") || ref != libRoot && strings.HasPrefix(ref, libRoot) && strings.HasPrefix(path, ref+".") {
			all = append(all, path)
		}
	}
	return all
}

// constants returns the parts of a reference up to the first that is only known at run time.
func constants(ref ast.Ref) []string {
	names := []string{ref[0].Value.String()}
	for _, term := range ref[1:] {
		name, isText := term.Value.(ast.String)
		if !isText {
			break
		}
		names = append(names, string(name))
	}
	return names
}
