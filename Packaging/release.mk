# A release: one static program, and what people install it from. `make help` lists the targets.

SWIFT_VERSION_FILE := Sources/Converter/ckptconv/CommandLineTool.swift
PROGRAM_VERSION = $(shell sed -n 's/.*static let current = "\(.*\)"/\1/p' $(SWIFT_VERSION_FILE))
ARCH := $(shell uname -m)
# The address that the files of a release will have.
URL ?= https://example.org/ckptconv/releases/v$(PROGRAM_VERSION)
TOOLS := .tools
# One program for both C libraries: it needs neither.
WHEEL_PLATFORM := manylinux_2_17_$(ARCH).manylinux2014_$(ARCH).musllinux_1_1_$(ARCH)

# One file that needs no other: Swift's runtime and all C libraries are inside, symbols are left out.
# The build id and the hashes of object files depend on the folder of the build.
RELEASE_FLAGS := -c release --static-swift-stdlib -Xswiftc -static-executable -Xlinker -s \
	-Xlinker --build-id=none
OBJCOPY ?= $(dir $(shell command -v $(SWIFT)))llvm-objcopy

# What archives are dated and say about their source.
export SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),315532800)
export REVISION ?= $(or $(shell git rev-parse HEAD 2>/dev/null),unknown)

.PHONY: release dist wheel recipes image version site test-tag test-release test-reproducible \
	test-site

release: ## build .build/ckptconv: optimized, one static file
	$(SWIFT) build $(RELEASE_FLAGS) --product ckptconv
	$(OBJCOPY) --remove-section .swift_modhash .build/release/ckptconv $(BINARY)

dist: release ## make dist/ckptconv-VERSION-linux-ARCH.tar.xz, install.sh and SHA256SUMS
	Packaging/archive $(BINARY) dist

wheel: release ## make dist/ckptconv-VERSION-py3-none-PLATFORM.whl for pip
	Packaging/setup $(TOOLS)
	Packaging/wheel $(BINARY) dist $(WHEEL_PLATFORM) $(TOOLS)/bin/python

test-release: dist wheel ## install the release in every way, also into old and empty systems (root)
	CKPTCONV_DIST=$(CURDIR)/dist $(TOOLS)/bin/python -m pytest -p no:cacheprovider Tests/Release

test-reproducible: dist wheel ## build this commit again in another directory and compare all bytes
	Packaging/reproduce dist

test-tag: ## fail unless TAG=v0.2.0 is the version of the source
	test "$(TAG)" = "v$(PROGRAM_VERSION)"

recipes: dist ## make dist/recipes for Homebrew, conda and the AUR; URL=address of the files
	Packaging/fill dist/ckptconv-$(PROGRAM_VERSION)-linux-$(ARCH).tar.xz $(URL) dist/recipes

image: dist ## build a container image of the program alone
	rm -rf dist/image && mkdir dist/image
	tar -xf dist/ckptconv-$(PROGRAM_VERSION)-linux-$(ARCH).tar.xz -C dist/image --strip-components=1
	docker build --file Packaging/Dockerfile --tag ckptconv:$(PROGRAM_VERSION) dist/image

site: docs ## make dist/site, the documentation for browsers; SITE_PATH=its path on the host
	Packaging/setup $(TOOLS)
	$(TOOLS)/bin/python Packaging/site/build dist/site $(SITE_PATH)

test-site: site ## open every page of the site in a headless Chromium
	Scripts/deps browser
	CKPTCONV_SITE=$(CURDIR)/dist/site $(TOOLS)/bin/python -m pytest -p no:cacheprovider Tests/Site

version: ## set the version in the sources to VERSION=0.2.0
	Packaging/version $(VERSION)
