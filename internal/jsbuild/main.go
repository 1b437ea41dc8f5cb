// Command jsbuild makes one script of a JavaScript project: it unpacks the npm
// packages that the project's lockfile pins, each checked against its SHA-512,
// and bundles an entry point with esbuild. Neither Node.js nor npm is needed;
// no script of any package is run.
//
//	jsbuild -entry src/main.js -o dist/app.js [-format esm|iife] [-wrap host] [-map] [-minify] PROJECT
//
// Paths are relative to the project. The environment variable
// npm_config_registry names another registry.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/evanw/esbuild/pkg/api"
)

type options struct {
	entry, out, format, wrap string
	sourceMap, minify        bool
}

func main() {
	var o options
	flag.StringVar(&o.entry, "entry", "src/main.js", "the module to begin with")
	flag.StringVar(&o.out, "o", "dist/app.js", "the script to write")
	flag.StringVar(&o.format, "format", "esm", "what the script is: esm, a module, or iife, a script")
	flag.StringVar(&o.wrap, "wrap", "", "of an iife: make it one function expression with this parameter")
	flag.BoolVar(&o.sourceMap, "map", false, "write a source map beside it")
	flag.BoolVar(&o.minify, "minify", false, "leave out what a reader needs and an engine does not")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(context.Background(), flag.Arg(0), o); err != nil {
		fmt.Fprintln(os.Stderr, "jsbuild:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, project string, o options) error {
	project, err := filepath.Abs(project)
	if err != nil {
		return err
	}
	if err := install(ctx, project); err != nil {
		return err
	}
	return bundle(project, o)
}

// bundle has esbuild make the script, which prints what is wrong.
func bundle(project string, o options) error {
	b := api.BuildOptions{
		AbsWorkingDir: project,
		EntryPoints:   []string{o.entry},
		Outfile:       o.out,
		Bundle:        true,
		Write:         true,
		Format:        api.FormatESModule,
		Platform:      api.PlatformNeutral,
		MainFields:    []string{"module", "main"},
		Conditions:    []string{"import", "default"},
		Target:        api.ES2023,
		Charset:       api.CharsetUTF8,
		LegalComments: api.LegalCommentsEndOfFile,
		LogLevel:      api.LogLevelWarning,

		MinifyWhitespace: o.minify, // names stay, for stack traces
		MinifySyntax:     o.minify,
	}
	if o.format == "iife" {
		b.Format = api.FormatIIFE
	}
	if o.wrap != "" {
		b.Banner = map[string]string{"js": "(" + o.wrap + ") => {"}
		b.Footer = map[string]string{"js": "}"}
	}
	if o.sourceMap {
		b.Sourcemap = api.SourceMapLinked
	}
	if r := api.Build(b); len(r.Errors) > 0 {
		return errors.New("the bundle cannot be made")
	}
	return nil
}
