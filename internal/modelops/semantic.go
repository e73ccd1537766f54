package modelops

import (
	"fmt"
	"slices"
	"strings"

	"foresight/ent"
)

// semantic is a semantic version. What follows a hyphen or a plus sign is left out.
type semantic struct{ major, minor, patch int }

func (v semantic) String() string { return fmt.Sprintf("%d.%d.%d", v.major, v.minor, v.patch) }

func (v semantic) less(o semantic) bool {
	switch {
	case v.major != o.major:
		return v.major < o.major
	case v.minor != o.minor:
		return v.minor < o.minor
	}
	return v.patch < o.patch
}

// readSemantic is 0.0.0 for a text that is no version.
func readSemantic(s string) (v semantic) {
	if i := strings.IndexAny(s, "+-"); i >= 0 {
		s = s[:i]
	}
	if _, err := fmt.Sscanf(s, "%d.%d.%d", &v.major, &v.minor, &v.patch); err != nil {
		return semantic{}
	}
	return v
}

// following is the version that comes after all of these: 1.0.0 is the first, another
// feature schema than that of the newest raises the major number, a class that the newest
// does not know the minor, anything else the patch.
func following(before []*ent.MLModelVersion, schema string, classes []string) semantic {
	if len(before) == 0 {
		return semantic{major: 1}
	}
	newest := slices.MaxFunc(before, func(a, b *ent.MLModelVersion) int {
		switch x, y := readSemantic(a.SemanticVersion), readSemantic(b.SemanticVersion); {
		case x.less(y):
			return -1
		case y.less(x):
			return 1
		}
		return a.CreatedAt.Compare(b.CreatedAt)
	})
	v := readSemantic(newest.SemanticVersion)
	known := func(class string) bool { return slices.Contains(newest.Classes, class) }
	switch {
	case newest.FeatureSchemaHash != schema:
		return semantic{major: v.major + 1}
	case slices.ContainsFunc(classes, func(c string) bool { return !known(c) }):
		return semantic{v.major, v.minor + 1, 0}
	}
	return semantic{v.major, v.minor, v.patch + 1}
}
