#!/bin/bash
# Inside the clean Debian: whether updates can run.
exec mcr check
