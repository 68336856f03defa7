"""Pure: the texts of a project's files become findings, and those a proposal of devenv.yaml and a profile."""
