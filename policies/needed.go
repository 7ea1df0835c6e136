package policies

import (
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
	add := func(ref string) {
		for path := range packages {
			// A package is named by a reference into it, or by one to something above it.
			if ref == path || strings.HasPrefix(ref, path+".") || strings.HasPrefix(path, ref+".") && ref != libRoot {
				all = append(all, path)
			}
		}
	}
	root := "" // what the module calls libRoot
	for _, imported := range module.Imports {
		if ref := imported.Path.String(); strings.HasPrefix(ref+".", libRoot+".") {
			add(ref)
			if ref == libRoot {
				root = string(imported.Name())
			}
		}
	}
	ast.WalkRefs(module, func(ref ast.Ref) bool {
		names := constants(ref)
		switch {
		case root != "" && names[0] == root:
			names = append([]string{libRoot}, names[1:]...)
		case names[0] != "data" || len(ref) > 1 && len(names) > 1 && names[1] != "gesso":
			return false
		}
		text := strings.Join(names, ".")
		if strings.HasPrefix(libRoot, text) && len(names) < len(ref) || text == libRoot && len(names) == len(ref) {
			for path := range packages { // the rest is a variable, or the whole tree is meant
				all = append(all, path)
			}
		}
		if strings.HasPrefix(text, libRoot) {
			add(text)
		}
		return false
	})
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
