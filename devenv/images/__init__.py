"""The only importer of the Docker SDK: builds, the registry beside the cluster, cluster nodes as containers."""
