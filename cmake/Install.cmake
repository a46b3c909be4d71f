# cmake --install: programs, manual pages, the systemd unit, examples, documentation, dashboards.
include_guard(GLOBAL)
include(GNUInstallDirs)

foreach(program IN ITEMS fraiseql-collector fraiseql fraiseql-supervisor fraiseql-relay
                         fraiseql-example-service)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()

file(GLOB manual_pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/man/*.8)
install(FILES ${manual_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)

# The unit is written for /usr. The prefix is known only at installation; systemd reads /usr/lib and /usr/local/lib.
install(CODE "
  file(READ \"${PROJECT_SOURCE_DIR}/packaging/systemd/fraiseql-collector.service\" unit)
  string(REPLACE \"=/usr/bin/\" \"=\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/\" unit \"\${unit}\")
  file(WRITE \"${PROJECT_BINARY_DIR}/generated/fraiseql-collector.service\" \"\${unit}\")
  file(INSTALL DESTINATION \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/system\" TYPE FILE
       FILES \"${PROJECT_BINARY_DIR}/generated/fraiseql-collector.service\")
")

# The folders below doc/fraiseql are those of the source, so that the links of README.md lead somewhere.
set(documentation ${CMAKE_INSTALL_DATAROOTDIR}/doc/fraiseql)
install(FILES README.md LICENSE DESTINATION ${documentation})
install(DIRECTORY docs/ DESTINATION ${documentation}/docs FILES_MATCHING PATTERN "*.md" PATTERN "*.schema.json"
        PATTERN "man" EXCLUDE)
install(FILES examples/collector.yaml examples/fraiseql-deployment.yaml examples/fraiseql-deployment-resolved.yaml
        examples/three-regions.yaml DESTINATION ${documentation}/examples)
install(DIRECTORY packaging/kubernetes/ DESTINATION ${documentation}/packaging/kubernetes FILES_MATCHING PATTERN "*.yaml")
install(DIRECTORY dashboards/ DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/fraiseql/dashboards
        FILES_MATCHING PATTERN "*.json" PATTERN "*.yml")
