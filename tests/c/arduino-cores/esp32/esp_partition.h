/* Partitions of ESP-IDF, of which there is one. Mapped memory shows what was written. */
#include <stddef.h>

#include "../chip.h"

typedef int esp_err_t;
enum { ESP_OK = 0, ESP_ERR_INVALID_ARG = 0x102 };
typedef enum { ESP_PARTITION_TYPE_DATA = 1 } esp_partition_type_t;
typedef enum { ESP_PARTITION_SUBTYPE_ANY = 0xff } esp_partition_subtype_t;
typedef struct {
  uint32_t size;
} esp_partition_t;
#if ESP_IDF_VERSION_MAJOR < 5
typedef uint32_t spi_flash_mmap_handle_t;
typedef enum { SPI_FLASH_MMAP_DATA } spi_flash_mmap_memory_t;
typedef spi_flash_mmap_handle_t mapping_handle;
typedef spi_flash_mmap_memory_t mapping_memory;
#else
typedef uint32_t esp_partition_mmap_handle_t;
typedef enum { ESP_PARTITION_MMAP_DATA } esp_partition_mmap_memory_t;
typedef esp_partition_mmap_handle_t mapping_handle;
typedef esp_partition_mmap_memory_t mapping_memory;
#endif

extern const char *partition_label;
extern esp_partition_t partition;

inline const esp_partition_t *esp_partition_find_first(esp_partition_type_t, esp_partition_subtype_t, const char *label) {
  return strcmp(label, partition_label) == 0 ? &partition : 0;
}
inline esp_err_t esp_partition_mmap(const esp_partition_t *, size_t offset, size_t, mapping_memory, const void **pointer,
                                    mapping_handle *handle) {
  *pointer = chip.bytes + offset;
  *handle = 1;
  return ESP_OK;
}
inline esp_err_t esp_partition_write(const esp_partition_t *p, size_t offset, const void *bytes, size_t count) {
  if (offset + count > p->size || offset % 16 != 0 || count % 16 != 0) return ESP_ERR_INVALID_ARG;
  chip.program((uint32_t)offset, bytes, (uint32_t)count, true);
  return ESP_OK;
}
inline esp_err_t esp_partition_erase_range(const esp_partition_t *p, size_t offset, size_t count) {
  if (offset + count > p->size || offset % 4096 != 0 || count % 4096 != 0) return ESP_ERR_INVALID_ARG;
  chip.erase((uint32_t)offset, (uint32_t)count);
  return ESP_OK;
}
