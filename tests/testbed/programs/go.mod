module hardening.local/testbed/programs

go 1.24
