// Which versions of client and server are meant for each other.

/** Returns a warning when two versions are not of one release line, else an empty string. */
export function difference(client: string, server: string): string {
  if (releaseLine(client) === releaseLine(server)) return "";
  return `this client is version ${client}, the server ${server || "of an unknown version"}`;
}

/** The minor version before 1.0, later the major one (semver.org, item 4). */
function releaseLine(version: string): string {
  const [major, minor] = version.split(".");
  return major === "0" ? `${major}.${minor}` : `${major}`;
}
