module testbed/small

go 1.24
