package limits

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"foresight/internal/fault"
)

// Documents are the documents that a locked server executes, by the SHA-256 of their
// text in lower-case hexadecimal digits.
type Documents map[string]string

// maxManifest bounds a manifest and a document in bytes.
const maxManifest = 16 << 20

// ReadDocuments reads the documents of a path: the files *.graphql and *.gql of a
// directory and below it, each one document; or a manifest in JSON, an object of
// documents by their hash (as relay-compiler and graphql-codegen write it). A document
// whose hash is another than the manifest says is an error, as is a path with none.
func ReadDocuments(path string) (Documents, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("limits: documents: %w", err)
	}
	d := Documents{}
	if info.IsDir() {
		err = d.readAll(path)
	} else {
		err = d.readManifest(path)
	}
	if err == nil && len(d) == 0 {
		err = fmt.Errorf("%s has none", path)
	}
	if err != nil {
		return nil, fmt.Errorf("limits: documents: %w", err)
	}
	return d, nil
}

func (d Documents) readAll(dir string) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		ext := filepath.Ext(path)
		if err != nil || e.IsDir() || ext != ".graphql" && ext != ".gql" {
			return err
		}
		b, err := read(path)
		d[hash(string(b))] = string(b)
		return err
	})
}

func (d Documents) readManifest(path string) error {
	b, err := read(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, &d); err != nil {
		return fmt.Errorf("%s is no object of documents by their hash: %w", path, err)
	}
	for named, text := range d {
		if h := hash(text); h != named {
			return fmt.Errorf("%s: the document named %s has the hash %s", path, named, h)
		}
	}
	return nil
}

func read(path string) ([]byte, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if info.Size() > maxManifest {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, maxManifest)
	}
	return os.ReadFile(path)
}

func hash(document string) string {
	sum := sha256.Sum256([]byte(document))
	return hex.EncodeToString(sum[:])
}

// Trusted locks a server: it executes the documents and nothing else. A request names
// one by its hash, as with persisted queries (`extensions.persistedQuery.sha256Hash`),
// or repeats its text to the letter. Others are FORBIDDEN before they are parsed.
type Trusted struct{ Documents Documents }

var _ interface {
	graphql.HandlerExtension
	graphql.OperationParameterMutator
} = Trusted{}

// ExtensionName names the extension among the others of a server.
func (Trusted) ExtensionName() string { return "Trusted" }

// Validate has nothing to check.
func (Trusted) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters puts the document in the place of its hash.
func (t Trusted) MutateOperationParameters(_ context.Context, p *graphql.RawParams) *gqlerror.Error {
	named := hash(p.Query)
	if p.Query == "" {
		persisted, _ := p.Extensions["persistedQuery"].(map[string]any)
		text, _ := persisted["sha256Hash"].(string)
		named = strings.ToLower(text)
	}
	document, ok := t.Documents[named]
	if !ok {
		return refuse(fault.New(fault.Forbidden, "error.graphql.untrusted"), nil)
	}
	p.Query = document
	return nil
}
