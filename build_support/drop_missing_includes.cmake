# The ROS 2 wheels export the header paths of the machine they were built on (Python's and NumPy's), and CMake refuses an
# imported target with an include path that does not exist. Call after find_package(); on an installed ROS 2 it changes nothing.
function(drop_missing_includes)
  get_property(targets DIRECTORY PROPERTY IMPORTED_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(includes ${target} INTERFACE_INCLUDE_DIRECTORIES)
    if(NOT includes)
      continue()
    endif()
    set(kept "")
    foreach(path IN LISTS includes)
      if(path MATCHES "\\$<" OR EXISTS "${path}")  # generator expressions are kept as they are
        list(APPEND kept "${path}")
      endif()
    endforeach()
    set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${kept}")
  endforeach()
endfunction()
