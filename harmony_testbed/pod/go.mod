module harmony/testbed/pod

go 1.24.0
