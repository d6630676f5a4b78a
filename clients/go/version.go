package mailvet

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"

	"mailvet.dev/client/mailvetv1"
)

// CheckServer returns what is wrong with the server's version for this client; empty when nothing
// is. A difference is told, never refused: most calls work across versions.
func (c *Client) CheckServer(ctx context.Context) (warning string, err error) {
	info, err := c.Catalog.GetServerInfo(ctx, &mailvetv1.GetServerInfoRequest{})
	if err != nil && toServiceError(err).Code != codes.Unimplemented {
		return "", err
	}
	server := info.GetVersion()
	if releaseLine(server) == releaseLine(Version) {
		return "", nil
	}
	if server == "" {
		server = "of an unknown version"
	}
	return fmt.Sprintf("this client is version %s, the server %s", Version, server), nil
}

// releaseLine is the minor version before 1.0, later the major one (semver.org, item 4).
func releaseLine(version string) string {
	parts := strings.SplitN(version, ".", 3)
	if parts[0] == "0" && len(parts) > 1 {
		return parts[0] + "." + parts[1]
	}
	return parts[0]
}
